"""The close: final entries are taken once, whoever closes and however often, and wait for what came in time."""

from datetime import timedelta

from sqlalchemy import select

from app import (
    closing,
    disqualifying,
    leaderboard,
    registry,
    submissions,
)
from app.db import read_only, unit_of_work
from app.models import Competition, Evaluation, Run, Submission, Team, User
from app.queue import Silent
from app.status import FinalState, Lane, Status, Verdict
from tests.app.closes import AFTER, CLOSE, MINUTE, advance, choose, closed_at, entries, private, scored
from tests.app.conftest import DAY, FAILURE, NOW

ENTERED, DROPPED = FinalState.ENTERED, FinalState.DROPPED


class Bell(Silent):
    def __init__(self):
        self.rung = []

    def ring(self, device="any", lane=Lane.NORMAL):
        self.rung.append((device, lane))


def test_who_chooses_nothing_has_their_best_public_submissions_entered(world, ada):
    low, best, second = scored(world, ada, 0.1, 0.3, 0.2)
    assert advance(world) == 1
    assert entries(world) == {best: (ENTERED, True), second: (ENTERED, True)}
    assert private(world) == sorted([best, second])
    assert low not in entries(world)


def test_choices_are_entered_and_free_places_filled_with_the_best_others(world, ada):
    low, best, _ = scored(world, ada, 0.1, 0.3, 0.2)
    choose(world, ada, low)
    advance(world)
    assert entries(world) == {low: (ENTERED, False), best: (ENTERED, True)}


def test_a_choice_that_ended_without_a_score_is_dropped_and_its_place_filled(world, ada):
    best, second = scored(world, ada, 0.3, 0.2)
    failing, _ = world.submission(ada, at=NOW + 5 * MINUTE)
    choose(world, ada, failing, second)
    world.record(*world.claim(at=NOW + 11 * MINUTE), FAILURE, at=NOW + 11 * MINUTE)
    advance(world)
    assert entries(world) == {
        failing: (DROPPED, False),
        second: (ENTERED, False),
        best: (ENTERED, True),
    }
    assert private(world) == sorted([best, second])


def test_everybody_has_entries_of_their_own_and_who_has_no_score_has_none(world, ada):
    eve, bob = world.user("eve"), world.user("bob")
    [first] = scored(world, ada, 0.3)
    [second] = scored(world, eve, 0.2, at=NOW + 5 * MINUTE)
    world.submission(bob, at=NOW + 9 * MINUTE)
    world.record(*world.claim(at=NOW + 9 * MINUTE), FAILURE, at=NOW + 9 * MINUTE)
    advance(world)
    assert set(entries(world)) == {first, second}


def test_it_waits_for_uploads_that_may_still_arrive_and_for_what_is_being_graded(world, ada):
    late, evaluation = world.submission(ada, at=CLOSE - MINUTE)
    assert advance(world, AFTER - timedelta(seconds=1)) == 0
    assert advance(world) == 0
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        assert "may still arrive" in closing.waits_for(session, competition, CLOSE)
        assert "still being graded" in closing.waits_for(session, competition, AFTER)
    world.score(evaluation, 0.3, AFTER + MINUTE)
    assert advance(world, AFTER + 2 * MINUTE) == 1
    assert set(entries(world)) == {late}
    assert closed_at(world) == AFTER + 2 * MINUTE


def test_it_waits_for_a_private_reference(world, ada):
    scored(world, ada, 0.3)
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        registry.current_reference(session, competition, "private").current = False
        session.flush()
        assert "lethe competition prepare" in closing.waits_for(session, competition, AFTER)
    assert advance(world) == 0
    assert (closed_at(world), entries(world)) == (None, {})


def test_evaluations_of_entries_wait_their_turn_in_the_normal_lane_and_cost_no_quota(world, ada):
    scored(world, ada, 0.3, 0.2)
    turn = _turn(world, ada)
    bell = Bell()
    advance(world, bell=bell)
    with read_only(world.engine) as session:
        runs = session.scalars(select(Run).where(Run.status == "queued")).all()
        assert {run.lane for run in runs} == {Lane.NORMAL}
        assert {run.turn for run in runs} == {turn + 1, turn + 2}
        assert {
            one.due_at for one in session.scalars(select(Evaluation).where(Evaluation.split == "private"))
        } == {AFTER + DAY}
    assert bell.rung == [("any", Lane.NORMAL)]
    assert all(world.refunds(one) == 0 for one in private(world))


def _turn(world, person):
    with read_only(world.engine) as session:
        return session.get_one(User, person.id).turn


def test_a_competition_that_cannot_be_closed_stops_no_other(world, ada, caplog):
    scored(world, ada, 0.3)
    world.competition("faces")
    with unit_of_work(world.engine) as session:
        registry.get_competition(session, "faces").config = {"slug": "broken"}
    assert advance(world) == 1
    assert closed_at(world) == AFTER
    assert "cannot be closed" in caplog.text


def test_what_an_admin_had_evaluated_on_the_private_split_before_is_not_run_again(world, ada, admin):
    best, second = scored(world, ada, 0.3, 0.2)
    for submission, value in ((best, 0.25), (second, None)):
        with unit_of_work(world.engine) as session:
            earlier = submissions.rerun(
                session, submission, "private", admin, NOW, queue_due=DAY, seeds=[1, 2, 3]
            ).id
        if value is None:
            world.record(*world.claim(at=NOW), FAILURE, at=NOW)
        else:
            world.score(earlier, value, NOW)
    advance(world)
    assert private(world) == sorted([best, second, second])


def test_only_entries_rank_on_the_private_split(world, ada, admin):
    low, best, second = scored(world, ada, 0.1, 0.3, 0.2)
    with unit_of_work(world.engine) as session:
        extra = submissions.rerun(session, low, "private", admin, NOW, queue_due=DAY, seeds=[1, 2, 3]).id
    world.score(extra, 0.9, NOW)
    advance(world)
    for evaluation in _private_ids(world, best, second):
        world.score(evaluation, 0.25 if evaluation in _private_ids(world, best) else 0.28, AFTER)
    with read_only(world.engine) as session:
        competition = session.scalars(select(Competition)).one()
        rows = leaderboard.board(session, competition, AFTER, "private").rows
    assert [(row.entry.submission_id, row.entry.score) for row in rows] == [(second, 0.28)]


def _private_ids(world, *submission_ids):
    with read_only(world.engine) as session:
        return list(
            session.scalars(
                select(Evaluation.id).where(
                    Evaluation.split == "private", Evaluation.submission_id.in_(submission_ids)
                )
            )
        )


def test_a_private_evaluation_that_fails_is_over_and_refunds_nothing(world, ada):
    [only] = scored(world, ada, 0.3)
    advance(world)
    world.record(*world.claim(at=AFTER), FAILURE, at=AFTER)
    [evaluation] = map(world.evaluation, _private_ids(world, only))
    assert (evaluation.status, evaluation.verdict, evaluation.published) == (
        Status.DONE,
        Verdict.TIMED_OUT,
        True,
    )
    assert world.refunds(only) == 0


def test_what_is_disqualified_keeps_its_place_and_the_next_is_entered_beside_it(world, ada, admin):
    low, third, best, second = scored(world, ada, 0.1, 0.15, 0.3, 0.2)
    choose(world, ada, second, low)
    with unit_of_work(world.engine) as session:
        for submission in (second, best):
            disqualifying.disqualify_submission(session, submission, "copied", admin, NOW)
    advance(world)
    assert entries(world) == {second: (ENTERED, False), low: (ENTERED, False), third: (ENTERED, True)}


def test_who_is_reinstated_after_the_close_has_the_final_entries_that_they_would_have_had(world, ada, admin):
    low, best, second = scored(world, ada, 0.1, 0.3, 0.2)
    choose(world, ada, low)
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        disqualifying.disqualify_entrant(session, competition, ada, "copied", admin, NOW)
    advance(world)
    assert entries(world) == {low: (ENTERED, False), best: (ENTERED, True)}
    for evaluation in _private_ids(world, low, best):
        world.score(evaluation, 0.2, AFTER)
    assert _on_the_private_board(world) == []
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        disqualifying.reinstate_entrant(session, competition, ada, "an error", admin, AFTER)
    assert _on_the_private_board(world) == ["ada"]
    assert second not in private(world)


def _on_the_private_board(world):
    with read_only(world.engine) as session:
        competition = session.scalars(select(Competition)).one()
        rows = leaderboard.board(session, competition, AFTER, "private").rows
        return [row.entry.entrant_name for row in rows]


def test_what_ended_by_a_clock_that_is_ahead_is_entered_like_any_other(world, ada):
    ahead, evaluation = world.submission(ada)
    world.score(evaluation, 0.3, AFTER + MINUTE)
    assert advance(world) == 1
    assert entries(world) == {ahead: (ENTERED, True)}


def test_a_competition_that_cannot_be_revealed_stops_no_other(world, ada, caplog):
    scored(world, ada, 0.3)
    world.competition("faces")
    with unit_of_work(world.engine) as session:
        broken = registry.get_competition(session, "faces")
        broken.closed_at, broken.config = AFTER, {"slug": "broken"}
    assert advance(world) == 1
    assert closed_at(world) == AFTER
    assert "faces cannot be revealed" in caplog.text


def test_the_members_of_a_team_share_its_places(world, ada):
    grace = world.user("grace")
    hers = scored(world, ada, 0.1, 0.3)
    theirs = scored(world, grace, 0.2, at=NOW + 5 * MINUTE)
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        session.add(
            Team(
                id="team",
                competition_id=competition.id,
                name="Both",
                name_key="both",
                leader_id=ada.id,
                created_at=NOW,
            )
        )
        session.flush()
        for submission in session.query(Submission):
            submission.team_id = "team"
    advance(world)
    assert set(entries(world)) == {hers[1], theirs[0]}
