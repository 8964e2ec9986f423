"""The reveal: once, when every final entry has ended, by an organiser or by itself."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import disqualifying, evaluations, registry, reruns, reveal, submissions
from app.db import make_engine, read_only, unit_of_work
from app.errors import Conflict
from app.models import Evaluation
from app.queue import Silent
from app.status import Status, Verdict
from tests.app.closes import AFTER, MINUTE, advance, scored
from tests.app.conftest import DAY, FAILURE

LATER = AFTER + timedelta(hours=1)


@pytest.fixture
def closed(world, ada):
    """Two final entries of ada's, being evaluated."""
    found = scored(world, ada, 0.3, 0.2)
    assert advance(world) == 1
    return found


def do(world, at=LATER, *, force=False, actor="root"):
    with unit_of_work(world.engine) as session:
        return reveal.reveal(session, "digits", actor, at, force=force).revealed_at


def found(world):
    with read_only(world.engine) as session:
        return reveal.progress(session, registry.get_competition(session, "digits"))


def active(world):
    with read_only(world.engine) as session:
        return session.scalars(
            select(Evaluation.id).where(Evaluation.status != Status.DONE).order_by(Evaluation.created_at)
        ).all()


def end_all(world, at=AFTER + MINUTE):
    for claim in world.claim(limit=100, at=at):
        world.record(claim, at=at)
    for evaluation in active(world):
        assert world.finish(world.scoring_claim(evaluation, at), at=at)


def stall(world, at=AFTER + MINUTE):
    """Lose every run until what is under way has stalled; return how many evaluations did."""
    stalled = len(active(world))
    for _ in range(evaluations.MAX_LOSSES):
        for claim in world.claim(limit=100, at=at):
            with unit_of_work(world.engine) as session:
                evaluations.give_back(session, claim, "worker_lost", at)
    assert active(world) == []
    return stalled


def rerun(world, admin, submission, at=AFTER + 2 * MINUTE):
    with unit_of_work(world.engine) as session:
        return submissions.rerun(session, submission, "private", admin, at, queue_due=DAY, seeds=[1, 2, 3]).id


def test_it_is_refused_until_final_entries_were_taken(world, ada):
    scored(world, ada, 0.3)
    with pytest.raises(Conflict, match="has not taken its final entries"):
        do(world)


def test_it_is_refused_while_an_entry_is_being_evaluated(world, closed):
    for force in (False, True):
        with pytest.raises(Conflict, match="2 of 2 final entries are still being evaluated"):
            do(world, force=force)
    assert (found(world).entries, len(found(world).running), found(world).complete) == (2, 2, 0)


def test_it_happens_once_and_keeps_its_moment(world, closed):
    end_all(world)
    assert found(world).failed == []
    assert do(world) == LATER
    with pytest.raises(Conflict, match="revealed already"):
        do(world, LATER + MINUTE)
    with read_only(world.engine) as session:
        assert registry.get_competition(session, "digits").revealed_at == LATER
    assert world.events("competition.revealed") == 1


def test_entries_that_failed_by_themselves_hold_nothing_up(world, closed):
    for _ in closed:
        world.record(*world.claim(at=AFTER), FAILURE, at=AFTER)
    assert (found(world).complete, found(world).stalled) == (2, [])
    assert sorted(found(world).failed) == sorted(closed)
    assert do(world) == LATER


def test_a_stalled_entry_holds_the_reveal_up_until_its_rerun_scores(world, admin, closed):
    assert stall(world) == 2
    with pytest.raises(Conflict, match="2 of 2 final entries stalled") as caught:
        do(world)
    assert closed[0][:8] in caught.value.detail
    assert "Rerun them on the private split" in caught.value.advice
    for submission in closed:
        rerun(world, admin, submission)
    end_all(world, at=AFTER + 3 * MINUTE)
    assert found(world).stalled == []
    assert do(world) == LATER


def test_a_stalled_entry_can_be_forced_past_only_after_a_rerun(world, admin, closed):
    stall(world)
    with pytest.raises(Conflict, match="stalled"):
        do(world, force=True)
    for submission in closed:
        rerun(world, admin, submission)
    stall(world, AFTER + 3 * MINUTE)
    with pytest.raises(Conflict, match="stalled"):
        do(world)
    assert do(world, force=True) == LATER


def automatic(world):
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        competition.config = competition.config | {"reveal": "automatic"}


def test_a_cancelled_entry_holds_even_an_automatic_reveal_up_until_its_rerun_has_ended(world, admin, closed):
    automatic(world)
    with unit_of_work(world.engine) as session:
        for submission in closed:
            submissions.cancel(session, submission, admin, AFTER)
    assert advance(world, AFTER + MINUTE) == 0
    assert sorted(found(world).stalled) == sorted(closed)
    with pytest.raises(Conflict, match="were cancelled"):
        do(world, force=True)
    for submission in closed:
        rerun(world, admin, submission)
    end_all(world, at=AFTER + 3 * MINUTE)
    assert advance(world, LATER) == 1


def rerun_many(world, admin, at):
    """Rerun the private evaluations of all entries together; return the rerun's id."""
    with unit_of_work(world.engine) as session:
        private = select(Evaluation.id).where(Evaluation.split == "private", Evaluation.published)
        ids = session.scalars(private).all()
        return reruns.make(session, ids, "a fault", admin, at, queue_due=DAY, bell=Silent()).id


@pytest.mark.parametrize(("decision", "stalled"), [("apply", 0), ("drop", 2)])
def test_a_rerun_of_many_that_waits_for_a_decision_cannot_be_forced_past(
    world, admin, closed, decision, stalled
):
    stall(world)
    made = rerun_many(world, admin, AFTER + 2 * MINUTE)
    end_all(world, at=AFTER + 3 * MINUTE)
    assert (len(found(world).running), found(world).forceable) == (2, False)
    with pytest.raises(Conflict, match="graded again"):
        do(world, force=True)
    with unit_of_work(world.engine) as session:
        getattr(reruns, decision)(session, made, admin, AFTER + 4 * MINUTE)
    assert (len(found(world).running), len(found(world).stalled)) == (0, stalled)
    if stalled:  # a score that was dropped is no try in vain
        assert not found(world).forceable
    else:
        assert do(world) == LATER


def test_scores_under_a_reference_that_was_replaced_hold_the_reveal_up(world, admin, closed):
    end_all(world)
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        registry.add_reference(session, competition, "private", "9" * 64, 3, 10.0, {}, AFTER + MINUTE)
    with pytest.raises(Conflict, match="2 of 2"):
        do(world)
    for submission in closed:
        rerun(world, admin, submission)
    end_all(world, at=AFTER + 3 * MINUTE)
    assert do(world) == LATER


def test_a_competition_that_reveals_by_itself_does_so_when_the_last_entry_has_ended(world, ada):
    automatic(world)
    scored(world, ada, 0.3)
    assert [advance(world), advance(world)] == [1, 0]
    end_all(world)
    assert [advance(world, LATER), advance(world, LATER)] == [1, 0]
    with read_only(world.engine) as session:
        assert registry.get_competition(session, "digits").revealed_at == LATER


def test_a_competition_that_waits_for_its_organiser_is_not_revealed_by_time(world, closed):
    end_all(world)
    assert advance(world, LATER + timedelta(days=300)) == 0


def test_of_two_who_reveal_at_once_one_does(world, closed):
    end_all(world)
    start, outcomes = threading.Barrier(2), []

    def go(engine):
        start.wait()
        try:
            with unit_of_work(engine) as session:
                reveal.reveal(session, "digits", "root", LATER)
            outcomes.append("revealed")
        except Conflict:
            outcomes.append("refused")

    engines = [world.engine, make_engine(world.engine.url)]
    threads = [threading.Thread(target=go, args=(one,)) for one in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "revealed"]
    assert world.events("competition.revealed") == 1


def test_only_an_admin_sees_private_evaluations_before_the_reveal_and_then_their_owner_does(
    world, ada, admin, closed
):
    end_all(world)
    with read_only(world.engine) as session:
        hidden = session.scalars(select(Evaluation).where(Evaluation.split == "private")).first()
        assert hidden.verdict is Verdict.SCORED
        assert submissions.get_evaluation(session, hidden.id, admin).id == hidden.id
        with pytest.raises(Exception, match="not yours to see"):
            submissions.get_evaluation(session, hidden.id, ada)
    do(world)
    with read_only(world.engine) as session:
        assert submissions.get_evaluation(session, hidden.id, ada).id == hidden.id
        with pytest.raises(Exception, match="not yours to see"):
            submissions.get_evaluation(session, hidden.id, world.user("eve"))


def test_an_entry_that_was_disqualified_holds_nothing_up(world, admin, closed):
    stall(world)
    with unit_of_work(world.engine) as session:
        for submission in closed:
            disqualifying.disqualify_submission(session, submission, "copied", admin, AFTER)
    assert found(world).entries == 0
    assert do(world) == LATER
