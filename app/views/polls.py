"""Answers to polls from memory: a submission's mark and bytes, for as long as no event of it has come."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.orm import Session

from app.access import standing
from app.changes import Changes
from app.models import User
from app.views import submissions, versions

T = TypeVar("T")
_Key = tuple[str, Hashable]
"""A submission's id, and who its viewer is."""
TRUST_SECONDS = 10.0
"""However quiet the log is, the database is asked again after so long."""
_MOST_MARKS = 20_000
_MOST_BODIES = 500


@dataclass(frozen=True)
class _Mark:
    mark: str
    version: tuple[int, int]
    until: float


@dataclass(frozen=True)
class Polls:
    """The newest mark and bytes of each submission for each viewer, the oldest given up first."""

    changes: Changes
    clock: Callable[[], float] = time.monotonic
    _marks: OrderedDict[_Key, _Mark] = field(default_factory=OrderedDict)
    _bodies: OrderedDict[_Key, tuple[str, bytes]] = field(default_factory=OrderedDict)

    def mark(self, submission_id: str, viewer: User) -> str | None:
        """Return the mark that still holds; None says to ask the database."""
        kept = self._marks.get((submission_id, standing(viewer)))
        if kept is None or kept.version != self.changes.of(submission_id) or self.clock() >= kept.until:
            return None
        return kept.mark

    def body(self, submission_id: str, viewer: User, mark: str) -> bytes | None:
        """Return the bytes that belong to a mark; None says to describe the submission."""
        kept = self._bodies.get((submission_id, standing(viewer)))
        return kept[1] if kept is not None and kept[0] == mark else None

    def read_mark(self, session: Session, submission_id: str, viewer: User) -> str:
        """Ask the database for the mark. Raises NotFound unless it is the viewer's to see."""
        version = self.changes.of(
            submission_id
        )  # before the query: at worst, what is newer is asked for once more
        until = self.clock() + TRUST_SECONDS
        found = versions.of_submission(session, submission_id, viewer)
        _keep(self._marks, (submission_id, standing(viewer)), _Mark(found.mark, version, until), _MOST_MARKS)
        return found.mark

    def describe(self, session: Session, submission_id: str, viewer: User, mark: str) -> bytes:
        """Describe the submission as of a mark that was read before."""
        body = submissions.describe(session, submission_id, viewer).model_dump_json().encode()
        _keep(self._bodies, (submission_id, standing(viewer)), (mark, body), _MOST_BODIES)
        return body


def _keep(kept: OrderedDict[_Key, T], key: _Key, value: T, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
