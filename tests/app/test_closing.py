"""The close: final entries are taken once, whoever closes and however often, and wait for what came in time."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app import (
    closing,
    disqualifying,
    entrants,
    evaluations,
    events,
    final_evaluations,
    finals,
    leaderboard,
    registry,
    reveal,
    submissions,
    timetable,
)
from app.db import make_engine, read_only, unit_of_work
from app.models import Competition, Evaluation, FinalEntry, Run, Submission, Team, User
from app.phases import GRACE
from app.queue import Silent
from app.status import FinalState, Lane, Status, Verdict
from tests.app.conftest import DAY, FAILURE, NOW

MINUTE = timedelta(minutes=1)
CLOSE = NOW + timedelta(days=30)
AFTER = CLOSE + GRACE
ENTERED, DROPPED = FinalState.ENTERED, FinalState.DROPPED


class Bell(Silent):
    def __init__(self):
        self.rung = []

    def ring(self, device="any", lane=Lane.NORMAL):
        self.rung.append((device, lane))


def advance(world, at=AFTER, bell=None):
    return timetable.advance(world.engine, at, DAY, bell or Silent())


def scored(world, person, *values, at=NOW):
    found = []
    for n, value in enumerate(values):
        moment = at + n * MINUTE
        submission, evaluation = world.submission(person, at=moment)
        world.score(evaluation, value, moment)
        found.append(submission)
    return found


def choose(world, person, *ids):
    with unit_of_work(world.engine) as session:
        finals.choose(session, "digits", person, ids, NOW + 10 * MINUTE)


def entries(world):
    with read_only(world.engine) as session:
        return {one.submission_id: (one.state, one.automatic) for one in session.scalars(select(FinalEntry))}


def private(world):
    with read_only(world.engine) as session:
        rows = session.scalars(select(Evaluation).where(Evaluation.split == "private"))
        return sorted(one.submission_id for one in rows)


def closed_at(world):
    with read_only(world.engine) as session:
        return registry.get_competition(session, "digits").closed_at


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


def test_closing_again_changes_nothing(world, ada):
    scored(world, ada, 0.3)
    assert [advance(world, AFTER + n * MINUTE) for n in range(3)] == [1, 0, 0]
    assert closed_at(world) == AFTER
    assert (len(private(world)), world.events("competition.closed")) == (1, 1)


def _dying_at(fatal):
    write = events.write

    def dying(session, kind, *rest, **more):
        if kind == fatal:
            raise RuntimeError("killed")
        write(session, kind, *rest, **more)

    return dying


def test_a_close_that_dies_half_way_leaves_nothing_and_is_done_anew(world, ada, monkeypatch):
    scored(world, ada, 0.3)
    with read_only(world.engine) as session:
        competition_id = registry.get_competition(session, "digits").id
    monkeypatch.setattr(events, "write", _dying_at("competition.closed"))
    with pytest.raises(RuntimeError), unit_of_work(world.engine) as session:
        closing.close(session, competition_id, AFTER, DAY)
    monkeypatch.undo()
    assert (closed_at(world), entries(world), private(world)) == (None, {}, [])
    assert advance(world) == 1
    assert len(private(world)) == 1


def test_evaluations_come_a_few_at_a_time_and_go_on_where_a_process_died(world, ada, monkeypatch):
    scored(world, ada, 0.3, 0.2)
    scored(world, world.user("eve"), 0.1, at=NOW + 5 * MINUTE)
    monkeypatch.setattr(final_evaluations, "_MOST", 1)
    create, made = evaluations.create, []

    def dying(*words, **more):
        if len(made) == 1:
            raise RuntimeError("killed")
        made.append(create(*words, **more))

    monkeypatch.setattr(evaluations, "create", dying)
    assert advance(world) == 1
    assert (len(entries(world)), len(private(world))) == (3, 1)
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        assert "2 final entries wait" in str(reveal.in_the_way(session, competition, force=True))
    monkeypatch.setattr(evaluations, "create", create)
    assert advance(world, AFTER + MINUTE) == 0
    assert private(world) == sorted(entries(world))


def test_evaluations_beyond_what_is_made_at_a_time_wait_for_the_next(world, ada, monkeypatch):
    scored(world, ada, 0.3, 0.2)
    monkeypatch.setattr(final_evaluations, "_MOST", 1)
    monkeypatch.setattr(timetable, "MOST_TRANSACTIONS", 1)
    advance(world)
    assert (len(entries(world)), len(private(world))) == (2, 1)
    advance(world, AFTER + MINUTE)
    assert private(world) == sorted(entries(world))


def test_of_two_that_close_at_once_one_does(world, ada, monkeypatch):
    monkeypatch.setattr(final_evaluations, "_MOST", 1)
    scored(world, ada, 0.3, 0.2)
    scored(world, world.user("eve"), 0.1, at=NOW + 5 * MINUTE)
    engines = [world.engine, make_engine(world.engine.url)]
    start, moved = threading.Barrier(2), []

    def go(engine):
        start.wait()
        moved.append(timetable.advance(engine, AFTER, DAY, Silent()))

    threads = [threading.Thread(target=go, args=(one,)) for one in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(moved) == [0, 1]
    assert (len(private(world)), world.events("competition.closed")) == (3, 1)


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


def test_no_close_gets_between_what_a_submission_sees_of_its_competition_and_its_commit(
    world, door, monkeypatch
):
    if world.engine.dialect.name == "sqlite":
        pytest.skip("there is one writer at a time")
    lock, other, kept_out = entrants.lock, make_engine(world.engine.url), []

    def while_locking(*words):
        row = select(Competition.id).with_for_update(key_share=True, nowait=True)
        with unit_of_work(other) as session:
            try:
                session.execute(row)
            except OperationalError:
                kept_out.append(True)
                session.rollback()
        return lock(*words)

    monkeypatch.setattr(entrants, "lock", while_locking)
    assert door().created
    assert kept_out


def test_no_rerun_gets_between_a_final_entry_and_its_private_evaluation(world, ada, monkeypatch):
    if world.engine.dialect.name == "sqlite":
        pytest.skip("there is one writer at a time")
    scored(world, ada, 0.3)
    create, other, kept_out = evaluations.create, make_engine(world.engine.url), []

    def while_rerunning(session, submission, *words, **more):
        row = select(Submission.id).where(Submission.id == submission.id)
        with unit_of_work(other) as rerun:
            try:
                rerun.execute(row.with_for_update(key_share=True, nowait=True))
            except OperationalError:
                kept_out.append(submission.id)
                rerun.rollback()
        return create(session, submission, *words, **more)

    monkeypatch.setattr(evaluations, "create", while_rerunning)
    advance(world)
    assert kept_out == private(world) != []
