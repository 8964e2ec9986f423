"""Faults that lie as files in a folder until the first process that comes by takes one and does it.

Every transition writes an event in its own transaction, so the event's kind names the place: "kill@run.running@before"
kills whoever is about to commit a claim. Lethe itself knows nothing of this: SQLAlchemy's own hooks are used.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import event

from app.db import UnitOfWork
from app.models import Event

SIGNALS = {"kill": signal.SIGKILL, "pause": signal.SIGSTOP}


class Armed:
    """Faults for one kind of process. A name is taken by one process, once, however many look."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def arm(self, name: str) -> None:
        """Lay a fault out."""
        (self._folder / name).touch()

    def disarm(self, name: str) -> None:
        """Take back what nobody has taken, and forget who did."""
        for path in self._folder.glob(f"{name}*"):
            path.unlink(missing_ok=True)

    def taken_by(self, name: str) -> int | None:
        """Return the process that took a fault, or None while it lies there."""
        return next((int(path.suffix[1:]) for path in self._folder.glob(f"{name}#*")), None)

    def take(self, name: str) -> bool:
        """Take a fault, if it is there and nobody else was quicker."""
        with suppress(FileNotFoundError):
            (self._folder / name).rename(self._folder / f"{name}#.{os.getpid()}")
            return True
        return False


def at_commits(armed: Armed) -> None:
    """Look for faults just before and just after each commit of this process."""

    @event.listens_for(UnitOfWork, "after_flush")
    def remember(session: UnitOfWork, _context: Any) -> None:
        kinds = session.info.setdefault("kinds", set())
        kinds.update(row.kind for row in session.new if isinstance(row, Event))

    @event.listens_for(UnitOfWork, "before_commit")
    def before(session: UnitOfWork) -> None:
        session.flush()
        _strike(armed, session, "before")

    @event.listens_for(UnitOfWork, "after_commit")
    def after(session: UnitOfWork) -> None:
        _strike(armed, session, "after")


def _strike(armed: Armed, session: UnitOfWork, when: str) -> None:
    for kind in session.info.get("kinds", ()):
        for action, signum in SIGNALS.items():
            if armed.take(f"{action}@{kind}@{when}"):
                os.kill(os.getpid(), signum)


def in_calls(armed: Armed, owner: type, method: str, error: Callable[[], Exception]) -> None:
    """Make a method raise instead, once for each fault named "fails@METHOD"."""
    real = getattr(owner, method)

    def broken(*arguments: Any, **words: Any) -> Any:
        if armed.take(f"fails@{method}"):
            raise error()
        return real(*arguments, **words)

    setattr(owner, method, broken)
