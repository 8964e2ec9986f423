from datetime import UTC, datetime

import anyio
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import events
from app.changes import PATIENCE_SECONDS, Changes
from app.db import make_engine, unit_of_work
from app.models import Event

NOW = datetime(2026, 3, 4, tzinfo=UTC)


class Seconds:
    """A monotonic clock that moves when told to."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def changes(engine, seconds):
    return Changes(engine, 0.2, seconds)


@pytest.fixture
def submission(world, ada):
    return world.submission(ada)[0]


def write(engine, kind, submission_id=None):
    with unit_of_work(engine) as session:
        events.write(session, kind, "tests", NOW, submission_id=submission_id)


def test_an_event_moves_its_submission_and_no_other(engine, world, ada, submission, changes):
    other, _ = world.submission(ada, at=NOW)
    changes.look()
    before = changes.of(submission), changes.of(other)
    write(engine, "run.succeeded", submission)
    changes.look()
    assert changes.of(submission) != before[0]
    assert changes.of(other) == before[1]


@pytest.mark.parametrize(
    ("kind", "moved"),
    [
        ("run.running", set()),
        ("evaluation.scoring", set()),
        ("calibration.measured", {"common"}),
        ("token.revoked", {"people"}),
        ("user.created", {"people"}),
        ("evaluation.published", {"common", "boards"}),
        ("competition.registered", {"common", "boards"}),
        ("of.a.later.release", {"common", "boards"}),
    ],
)
def test_each_kind_of_event_moves_what_it_may_concern(engine, submission, changes, kind, moved):
    about = submission if kind.startswith(("run.", "evaluation.")) else None
    expected = moved - {"common"} if about else moved
    changes.look()
    before = {name: getattr(changes, name) for name in ("people", "common", "boards")}
    write(engine, kind, about)
    changes.look()
    assert {name for name, value in before.items() if getattr(changes, name) != value} == expected


def test_looking_again_counts_nothing_twice(engine, submission, changes):
    changes.look()
    write(engine, "run.running", submission)
    changes.look()
    before = changes.of(submission)
    changes.look()
    assert changes.of(submission) == before


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
@pytest.mark.parametrize("looked_before", [False, True])
def test_an_event_that_is_committed_after_a_younger_one_is_not_missed(
    engine, submission, changes, looked_before
):
    if looked_before:
        changes.look()
    with Session(engine) as slow:
        events.write(slow, "run.succeeded", "tests", NOW, submission_id=submission)
        slow.flush()  # it has its number, and nobody sees it yet
        write(engine, "token.issued")
        changes.look()
        before = changes.of(submission)
        slow.commit()
    changes.look()
    assert changes.of(submission) != before


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_number_that_was_rolled_back_is_waited_for_and_then_given_up(engine, changes, seconds):
    changes.look()
    with Session(engine) as session:
        events.write(session, "run.running", "tests", NOW)
        session.flush()
        session.rollback()
    write(engine, "token.issued")
    changes.look()
    assert len(changes._late) == 1
    seconds.now += 31
    changes.look()
    assert changes._late == {}


def test_many_submissions_are_not_kept_for_ever(engine, submission, changes, monkeypatch):
    monkeypatch.setattr("app.changes._KEPT_MOST", 1)
    changes.look()
    seen = {changes.of(submission)}
    for _ in range(5):
        write(engine, "run.running", submission)
        changes.look()
        assert changes.of(submission) not in seen
        seen.add(changes.of(submission))
    assert len(changes._of) == 1


class Looks(Changes):
    """Counts its looks, and lets a test hold one up."""

    count = 0
    during = staticmethod(lambda: None)

    def look(self):
        self.count += 1
        self.during()
        super().look()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_one_look_serves_for_a_moment_and_ones_own_writes_are_seen_at_once(engine, seconds):
    changes = Looks(engine, 0.2, seconds)

    async def ask(times):
        for _ in range(times):
            await changes.fresh()
        return changes.count

    assert anyio.run(ask, 3) == 1
    seconds.now += 0.21
    assert anyio.run(ask, 3) == 2
    seconds.now += 0.01
    changes.wrote()
    seconds.now += 0.01
    assert anyio.run(ask, 3) == 3


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_while_one_looks_others_go_on_with_what_is_known_for_a_second_at_most(engine, seconds):
    changes = Looks(engine, 0.2, seconds)
    changes.look()
    began = changes.count

    async def main():
        looking, go_on = anyio.Event(), anyio.Event()

        def during():
            anyio.from_thread.run_sync(looking.set)
            anyio.from_thread.run(go_on.wait)

        changes.during = during
        seconds.now += 0.5
        async with anyio.create_task_group() as group:
            group.start_soon(changes.fresh)
            await looking.wait()
            await changes.fresh()  # answers although the look has not ended
            seconds.now += PATIENCE_SECONDS
            with anyio.move_on_after(0.2) as waited:
                await changes.fresh()
            go_on.set()
        return waited.cancelled_caught

    assert anyio.run(main)
    assert changes.count >= began + 1


def test_a_database_that_is_away_is_asked_once_for_all_who_wait():
    engine = make_engine("postgresql+psycopg://lethe@127.0.0.1:1/lethe", pooled=False)
    changes = Looks(engine, 0.2)

    async def main():
        failures = []

        async def ask():
            try:
                await changes.fresh()
            except OperationalError as error:
                failures.append(error)

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(ask)
        return len(failures)

    assert anyio.run(main) == 50
    assert changes.count < 5


def test_the_log_may_be_empty(engine, changes):
    with unit_of_work(engine) as session:
        assert session.query(Event).count() == 0
    changes.look()
    write(engine, "competition.registered")
    changes.look()
    assert changes.common == 1
