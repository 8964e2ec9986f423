"""Troubles that a worker gets over, and those that it does not hide."""

import threading

import pytest
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db import make_engine
from worker.recovery import BackOff, beating, with_retries

AWAY = [
    OperationalError("SELECT 1", {}, Exception("connection refused")),
    InterfaceError("SELECT 1", {}, Exception("the connection is closed")),
    PoolTimeout("QueuePool limit reached"),
]
WRONG = ProgrammingError("SELECT 1", {}, Exception("no such table"))


@pytest.fixture
def engine(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'lethe.db'}")
    yield engine
    engine.dispose()


def test_the_waits_double_up_to_the_cap_and_start_over_after_a_success():
    back_off = BackOff(1, 60)
    assert [back_off.next() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    back_off.reset()
    assert back_off.next() == 1


def test_a_commit_is_tried_again_while_the_database_is_away(engine, caplog):
    troubles = list(AWAY)

    def change(_session):
        if troubles:
            raise troubles.pop()
        return "done"

    assert with_retries(engine, change, 60) == "done"
    assert caplog.text.count("trying again") == 3


def test_the_patience_with_a_database_that_stays_away_ends(engine):
    def change(_session):
        raise AWAY[0]

    with pytest.raises(OperationalError):
        with_retries(engine, change, 0)


def test_an_error_of_our_own_is_not_tried_again(engine):
    calls = []

    def change(_session):
        calls.append(1)
        raise WRONG

    with pytest.raises(ProgrammingError):
        with_retries(engine, change, 60)
    assert calls == [1]


def test_a_beat_that_raises_is_followed_by_the_next_and_a_refusal_ends_them(caplog):
    troubles = [*AWAY, WRONG]
    refused = threading.Event()

    def beat():
        if troubles:
            raise troubles.pop()
        refused.set()
        return False

    with beating(beat, 0.01) as unwanted:
        assert refused.wait(20)
        assert unwanted.wait(20)
    assert caplog.text.count("heartbeat failed") == 4
    assert caplog.text.count("Traceback") == 1


def test_beats_end_with_the_block():
    beats = []
    with beating(lambda: bool(beats.append(1)) or True, 0.01) as unwanted:
        pass
    assert not unwanted.is_set()
    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}
