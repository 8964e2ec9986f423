"""What a worker does about trouble: keep its lease from a thread, retry a commit, back off."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.db import unit_of_work

T = TypeVar("T")
log = logging.getLogger("lethe.worker")

AWAY = (OperationalError, InterfaceError, PoolTimeout)
"""The database cannot be reached, or not just now: worth another try. Every other error of it is not."""


class BackOff:
    """How many seconds to wait after each trouble in a row: doubling up to a cap, and from the start after a success."""

    def __init__(self, first: float = 1.0, most: float = 60.0) -> None:
        self._first = first
        self._most = most
        self._next = first

    def next(self) -> float:
        """Return the seconds to wait after one more trouble."""
        seconds, self._next = self._next, min(2 * self._next, self._most)
        return seconds

    def reset(self) -> None:
        """Start over: something went well."""
        self._next = self._first


@contextmanager
def beating(beat: Callable[[], bool], every_seconds: float) -> Iterator[threading.Event]:
    """Call `beat` from a thread of its own until the block ends; the event is set once it answers False.

    A beat that raises is tried again at the next: what it extends stays ours until it expires.
    """
    unwanted, over = threading.Event(), threading.Event()

    def loop() -> None:
        while not over.wait(every_seconds):
            try:
                wanted = beat()
            except AWAY as error:
                log.warning("heartbeat failed: %s", first_line(error))
            except Exception:
                log.exception("heartbeat failed")
            else:
                if not wanted:
                    unwanted.set()
                    return

    # its log lines name what ours do
    thread = threading.Thread(target=copy_context().run, args=(loop,), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield unwanted
    finally:
        over.set()
        thread.join()


def with_retries(engine: Engine, change: Callable[[Session], T], patience_seconds: float) -> T:
    """Commit a change through short database outages; past the lease somebody else owns the work anyway."""
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            with unit_of_work(engine) as session:
                return change(session)
        except AWAY as error:
            if time.monotonic() > give_up_at:
                raise
            log.warning("the database is away, trying again: %s", first_line(error))
            time.sleep(0.2)


def first_line(error: Exception) -> str:
    """Return an error's first line; SQLAlchemy adds the statement and a link below it."""
    return str(error).partition("\n")[0]
