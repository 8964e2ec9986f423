"""Many graded again, unseen; then applied or dropped, by exactly one; on both databases."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from app import disqualifying, leaderboard, registry, reruns, submissions
from app.db import read_only, unit_of_work
from app.errors import BadRequest, Conflict, NotFound
from app.models import Evaluation, Event, Submission
from app.queue import Doorbell
from app.status import Lane, Status, Verdict
from app.views import reruns as views
from app.views import versions
from tests.app.conftest import DAY, FAILURE, NOW, SCORE
from tests.lending import calibrate_all

LATER = NOW + timedelta(hours=1)


class Bell(Doorbell):
    """Remembers who was woken."""

    def __init__(self):
        self.rung = []

    def ring(self, device, lane=Lane.NORMAL):
        self.rung.append((device, lane))


@pytest.fixture
def eve(world):
    return world.user("eve")


@pytest.fixture
def two(world, ada, eve):
    """Ada leads, Eve follows; return their evaluations."""
    found = []
    for user, value in ((ada, 0.5), (eve, 0.4)):
        _, evaluation = world.submission(user)
        world.score(evaluation, value)
        found.append(evaluation)
    return found


def submission_of(session, evaluation):
    return session.get_one(Evaluation, evaluation).submission_id


def make(world, admin, ids, reason="a driver was wrong", bell=None):
    with unit_of_work(world.engine) as session:
        return reruns.make(session, ids, reason, admin, LATER, queue_due=DAY, bell=bell or Bell())


def decide(world, what, made, admin):
    with unit_of_work(world.engine) as session:
        return getattr(reruns, what)(session, made.id, admin, LATER)


def described(world, made, admin):
    with read_only(world.engine) as session:
        return views.describe(session, made.id, admin, LATER)


def play(world, **values):
    """End every queued run; score each submission's newest evaluation with its person's value."""
    for claim in world.claim(limit=100, at=LATER):
        world.record(claim, at=LATER)
    with read_only(world.engine) as session:
        waiting = [
            (one.submission.user.name, one.id)
            for one in session.query(Evaluation).filter_by(status=Status.SCORING)
        ]
    for name, evaluation in waiting:
        assert world.finish(world.scoring_claim(evaluation, LATER), replace(SCORE, score=values[name]), LATER)


def board(world, split="public"):
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        rows = leaderboard.board(session, competition, LATER, split).rows
        return [(row.entry.user_name, row.entry.score) for row in rows]


def test_a_rerun_of_many_is_unseen_until_it_is_applied_and_its_preview_tells_who_moves(world, two, admin):
    bell = Bell()
    made = make(world, admin, two, bell=bell)
    assert (made.count, made.left_out, bell.rung) == (2, (), [("any", Lane.LOW)])
    assert described(world, made, admin).state == "running"
    play(world, ada=0.3, eve=0.45)
    assert board(world) == [("ada", 0.5), ("eve", 0.4)]
    seen = described(world, made, admin)
    assert (seen.state, seen.ended, seen.total) == ("ready", 2, 2)
    assert {(one.name, one.old_score, one.new_score, one.shown) for one in seen.evaluations} == {
        ("ada", 0.5, 0.3, True),
        ("eve", 0.4, 0.45, True),
    }
    [place] = seen.boards
    assert (place.competition, place.split, place.entrants) == ("digits", "public", 2)
    assert [(one.name, one.old.rank, one.new.rank) for one in place.moves] == [("eve", 2, 1), ("ada", 1, 2)]
    assert decide(world, "apply", made, admin) == 2
    assert board(world) == [("eve", 0.45), ("ada", 0.3)]
    after = described(world, made, admin)
    assert (after.state, after.decided_by, after.boards) == ("applied", "root", [])
    assert {(one.name, one.old_score, one.new_score) for one in after.evaluations} == {
        ("ada", 0.5, 0.3),
        ("eve", 0.4, 0.45),
    }


def test_what_is_dropped_leaves_everything_as_it_was_and_stops_what_runs(world, two, admin):
    made = make(world, admin, two)
    world.claim(limit=1, at=LATER)
    decide(world, "drop", made, admin)
    assert described(world, made, admin).state == "dropped"
    assert board(world) == [("ada", 0.5), ("eve", 0.4)]
    states = sorted(
        (one.status, one.verdict, one.cancelling) for one in described(world, made, admin).evaluations
    )
    assert states == [(Status.DONE, Verdict.CANCELLED, False), (Status.RUNNING, None, True)]
    world.reap(LATER + DAY)
    assert board(world) == [("ada", 0.5), ("eve", 0.4)]


def prepare(world, digest):
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        registry.add_reference(session, competition, "public", digest, 3, 10.0, {}, NOW)
        calibrate_all(session, NOW)


def test_what_ends_without_a_score_or_under_an_older_reference_does_not_replace_a_score(world, two, admin):
    made = make(world, admin, two[:1])
    world.record(*world.claim(at=LATER), FAILURE, LATER)
    [item] = described(world, made, admin).evaluations
    assert (item.verdict, item.shown, item.why) == (Verdict.TIMED_OUT, False, views.WITHOUT_SCORE)
    assert described(world, made, admin).boards[0].moves == []
    assert decide(world, "apply", made, admin) == 0
    prepare(world, "e" * 64)
    made = make(world, admin, two[1:])
    play(world, eve=0.9)
    prepare(world, "digits-public".ljust(64, "0"))
    [item] = described(world, made, admin).evaluations
    assert (item.verdict, item.shown, item.why) == (Verdict.SCORED, False, views.OLDER)
    assert decide(world, "apply", made, admin) == 0
    assert board(world) == [("ada", 0.5), ("eve", 0.4)]


def test_a_rerun_on_the_private_split_is_unpublished_too_even_where_nothing_was_shown(world, two, ada, admin):
    with unit_of_work(world.engine) as session:
        submission = submission_of(session, two[0])
        private = submissions.rerun(
            session, submission, "private", admin, NOW, queue_due=DAY, seeds=[1, 2, 3]
        )
        session.query(Evaluation).filter_by(id=private.id).update({"published": False})
        submissions.cancel(session, submission, admin, NOW, private.id)
        session.query(Evaluation).filter_by(id=private.id).update({"published": False})
    made = make(world, admin, [private.id])
    play(world, ada=0.6)
    [item] = described(world, made, admin).evaluations
    assert (item.split, item.shown, item.why) == ("private", True, views.FIRST)
    assert not world.evaluation(item.evaluation_id).published
    decide(world, "apply", made, admin)
    assert world.evaluation(item.evaluation_id).published


def test_nothing_is_applied_while_some_of_it_is_under_way(world, two, admin):
    made = make(world, admin, two)
    with pytest.raises(Conflict, match="2 of its evaluations are still under way"):
        decide(world, "apply", made, admin)


def test_of_all_who_decide_at_once_exactly_one_wins(world, two, admin):
    made = make(world, admin, two)
    play(world, ada=0.3, eve=0.45)
    barrier, ended = threading.Barrier(4), []

    def act(what):
        barrier.wait()
        try:
            decide(world, what, made, admin)
            ended.append(what)
        except Conflict as error:
            ended.append("refused" if "already, by root" in error.detail else error.detail)

    threads = [threading.Thread(target=act, args=(what,)) for what in ("apply", "drop") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended.count("refused") == 3
    [winner] = set(ended) - {"refused"}
    applied = [("eve", 0.45), ("ada", 0.3)]
    assert board(world) == (applied if winner == "apply" else [("ada", 0.5), ("eve", 0.4)])
    assert world.events("rerun.applied") + world.events("rerun.dropped") == 1


def test_while_one_is_open_nothing_else_is_graded_on_that_split_of_the_submission(world, two, admin):
    made = make(world, admin, two[:1])
    again = make(world, admin, two)
    assert (again.count, [one[2] for one in again.left_out]) == (1, [reruns.UNDER_WAY])
    play(world, ada=0.3, eve=0.45)
    with pytest.raises(Conflict, match="None of these"):
        make(world, admin, two)
    with unit_of_work(world.engine) as session:
        submission = submission_of(session, two[0])
        with pytest.raises(Conflict, match="waits for a decision"):
            submissions.rerun(session, submission, "public", admin, LATER, queue_due=DAY)
    decide(world, "drop", made, admin)
    assert make(world, admin, two[:1]).count == 1


def test_only_organisers_see_what_is_not_applied(world, two, ada, admin):
    def seen(evaluation, viewer):
        with read_only(world.engine) as session:
            return submissions.get_evaluation(session, evaluation, viewer).id == evaluation

    def mark():
        with read_only(world.engine) as session:
            submission = submission_of(session, two[0])
            return versions.of_submission(session, submission, ada)

    def newest(viewer):
        with read_only(world.engine) as session:
            return versions.newest_event(session, submission_of(session, two[0]), viewer)

    before, known = mark(), newest(ada)
    made = make(world, admin, two[:1])
    [item] = described(world, made, admin).evaluations
    assert mark() == before
    assert newest(ada) == known < newest(admin)
    assert seen(item.evaluation_id, admin)
    with pytest.raises(NotFound):
        seen(item.evaluation_id, ada)
    play(world, ada=0.3)
    assert newest(ada) == known
    decide(world, "apply", made, admin)
    assert seen(item.evaluation_id, ada)
    assert mark() != before
    assert newest(ada) > known


def test_it_refuses_nothing_too_much_and_what_is_not_there(world, two, admin, monkeypatch):
    with pytest.raises(BadRequest, match="Nothing is chosen"):
        make(world, admin, [])
    with pytest.raises(NotFound):
        make(world, admin, [*two, "nothing"])
    monkeypatch.setattr(reruns, "MOST", 1)
    with pytest.raises(BadRequest, match="At most 1"):
        make(world, admin, two)
    with pytest.raises(NotFound):
        decide(world, "apply", reruns.Made("nothing", 0, ()), admin)


def test_every_step_is_in_the_event_log_with_its_reason(world, two, admin):
    made = make(world, admin, two, "a driver was wrong")
    play(world, ada=0.3, eve=0.45)
    decide(world, "apply", made, admin)
    with read_only(world.engine) as session:
        told = {one.kind: one.detail for one in session.query(Event) if "a driver was wrong" in one.detail}
    assert set(told) == {"rerun.made", "evaluation.rerun_asked", "rerun.applied"}
    assert told["rerun.applied"] == f"{made.id}, 2 of 2 are shown: a driver was wrong"


def test_a_disqualified_submission_can_be_graded_again_and_still_counts_nowhere(world, two, admin):
    with unit_of_work(world.engine) as session:
        submission = submission_of(session, two[0])
        disqualifying.disqualify_submission(session, submission, "copied", admin, NOW)
    made = make(world, admin, two[:1])
    play(world, ada=0.9)
    assert described(world, made, admin).boards[0].moves == []
    decide(world, "apply", made, admin)
    assert board(world) == [("eve", 0.4)]
    with read_only(world.engine) as session:
        assert submissions.published_evaluation(session.get_one(Submission, submission)).generation == 2
