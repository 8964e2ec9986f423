"""The close where processes die in it, meet in it, or want the same rows meanwhile."""

import threading

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app import closing, entrants, evaluations, events, final_evaluations, registry, reveal, timetable
from app.db import make_engine, read_only, unit_of_work
from app.models import Competition, Submission
from app.queue import Silent
from tests.app.closes import AFTER, MINUTE, advance, closed_at, entries, private, scored
from tests.app.conftest import DAY, NOW


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


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)  # SQLite has one writer at a time
def test_no_close_gets_between_what_a_submission_sees_of_its_competition_and_its_commit(
    world, door, monkeypatch
):
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


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)  # SQLite has one writer at a time
def test_no_rerun_gets_between_a_final_entry_and_its_private_evaluation(world, ada, monkeypatch):
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
