"""Answers to polls from memory: a submission's mark and bytes, for as long as no event of it has come."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from app.access import standing
from app.changes import Changes
from app.models import User
from app.views import submissions, versions
from app.views.queue import Place, Queues

T = TypeVar("T")
_Key = tuple[str, Hashable]
"""A submission's id, and who its viewer is."""
TRUST_SECONDS = 10.0
"""However quiet the log is, the database is asked again after so long."""
_MOST_MARKS = 20_000
_MOST_BODIES = 500


@dataclass(frozen=True)
class Seen:
    """A submission's mark, and what of it is no row's: its place in the queue."""

    mark: str
    place: Place | None
    final: bool


@dataclass(frozen=True)
class _Mark:
    mark: str
    active: str | None  # the evaluation whose place in the queue is shown with it
    final: bool
    version: tuple[int, int]
    until: float


@dataclass(frozen=True)
class Polls:
    """The newest mark and bytes of each submission for each viewer, the oldest given up first."""

    changes: Changes
    queues: Queues
    clock: Callable[[], float] = time.monotonic
    _marks: OrderedDict[_Key, _Mark] = field(default_factory=OrderedDict)
    _bodies: OrderedDict[_Key, tuple[str, bytes]] = field(default_factory=OrderedDict)

    def mark(self, submission_id: str, viewer: User) -> Seen | None:
        """Return the mark that still holds; None says to ask the database."""
        kept = self._marks.get((submission_id, standing(viewer)))
        if kept is None or kept.version != self.changes.of(submission_id) or self.clock() >= kept.until:
            return None
        if kept.active is None:
            return Seen(kept.mark, None, kept.final)
        place = self.queues.known(kept.active)
        return None if place is None else Seen(f"{kept.mark}-{place.tag}", place, kept.final)

    def body(self, submission_id: str, viewer: User, mark: str) -> bytes | None:
        """Return the bytes that belong to a mark; None says to describe the submission."""
        kept = self._bodies.get((submission_id, standing(viewer)))
        return kept[1] if kept is not None and kept[0] == mark else None

    def read_mark(self, session: Session, submission_id: str, viewer: User, now: datetime) -> Seen:
        """Ask the database for the mark. Raises NotFound unless it is the viewer's to see."""
        version = self.changes.of(
            submission_id
        )  # before the query: at worst, what is newer is asked for once more
        until = self.clock() + TRUST_SECONDS
        found = versions.of_submission(session, submission_id, viewer)
        kept = _Mark(found.mark, found.active, found.final, version, until)
        _keep(self._marks, (submission_id, standing(viewer)), kept, _MOST_MARKS)
        place = None if found.active is None else self.queues.get(session, found.active, now)
        return Seen(found.mark if place is None else f"{found.mark}-{place.tag}", place, found.final)

    def describe(self, session: Session, submission_id: str, viewer: User, seen: Seen) -> bytes:
        """Describe the submission as of a mark that was read before."""
        body = submissions.describe(session, submission_id, viewer, seen.place).model_dump_json().encode()
        _keep(self._bodies, (submission_id, standing(viewer)), (seen.mark, body), _MOST_BODIES)
        return body


def _keep(kept: OrderedDict[_Key, T], key: _Key, value: T, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
