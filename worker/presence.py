"""What a worker process does beside its runs, in a thread of its own: it tells that it lives, and reaps.

Both go on while a run takes an hour, or while the broker is away.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.metadata import version
from typing import Protocol

from sqlalchemy import Engine

from app import evaluations, timetable, workers
from app.db import unit_of_work
from app.queue import Doorbell
from app.settings import Settings
from app.status import WorkerState
from app.workers import Identity
from worker.fingerprint import machine
from worker.recovery import AWAY, beating

BEAT_SECONDS = 5.0
_NEARLY = 0.9  # a beat that comes a little early must not leave the reaping to the next one


class Stateful(Protocol):
    """Whoever can say what it is about."""

    def state(self) -> tuple[WorkerState, str | None]:
        """Return the state and the id of the run in hand."""


def identity(name: str, settings: Settings, sandboxes: str, started_at: datetime) -> Identity:
    """Describe this process and its device."""
    device = machine(settings.device, sandboxes)
    return Identity(
        name=name,
        host=socket.gethostname(),
        pid=os.getpid(),
        device_class=settings.device,
        device=device.digest,
        device_name=device.name,
        sandboxes=sandboxes[:200],
        version=version("lethe"),
        started_at=started_at,
    )


class Reaper:
    """Reaps when it is due, from whichever thread comes by first."""

    def __init__(
        self, engine: Engine, settings: Settings, clock: Callable[[], datetime], bell: Doorbell
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._bell = bell
        self._lock = threading.Lock()
        self._reaped_at = float("-inf")

    def reap_when_due(self) -> None:
        """Give expired leases back, end what is overdue, close competitions; between whiles do nothing."""
        with self._lock:
            if time.monotonic() - self._reaped_at < _NEARLY * self._settings.reap_seconds:
                return
            with unit_of_work(self._engine) as session:
                touched = evaluations.reap(session, self._clock(), self._settings.queue_due)
                if touched:
                    session.after_commit(self._bell.ring)
            with unit_of_work(self._engine) as session:
                workers.forget(session, self._clock())
            timetable.advance(self._engine, self._clock(), self._settings.queue_due, self._bell)
            self._reaped_at = time.monotonic()


def _beat_seconds(settings: Settings) -> float:
    """Return how long from beat to beat: short of the lease, and a third of what reaping waits."""
    return max(0.1, min(BEAT_SECONDS, settings.lease_seconds / 3, settings.reap_seconds / 3))


@contextmanager
def present(
    engine: Engine,
    who: Identity,
    loop: Stateful,
    reaper: Reaper,
    settings: Settings,
    clock: Callable[[], datetime],
) -> Iterator[None]:
    """Keep a worker's row fresh and reap until the block ends; then the row goes."""

    def beat() -> bool:
        with unit_of_work(engine) as session:
            workers.beat(session, who, *loop.state(), clock())
        reaper.reap_when_due()
        return True

    with suppress(*AWAY):  # the next beat comes soon
        beat()
    try:
        with beating(beat, _beat_seconds(settings)):
            yield
    finally:
        with suppress(*AWAY), unit_of_work(engine) as session:
            workers.leave(session, who)
