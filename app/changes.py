"""What has changed, as this process knows it from the tail of the event log.

Every transition writes an event in its own transaction, so whoever has looked at the log knows whether what is kept in
memory still holds, without asking for each thing by itself. A look is one query, and one look in a fraction of a second
serves all requests of the process.
"""

import time
from collections.abc import Callable
from threading import Lock

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine, or_, select
from sqlalchemy.orm import Session

from app.db import DATABASE_AWAY, read_only
from app.models import Event

PATIENCE_SECONDS = 1.0
"""While one request looks, others go on with what was known, for so long."""
_LATE_SECONDS = 30.0
"""Numbers are given before the commit: one that is passed over may still come, for so long. No transaction lasts longer."""
_LATE_MOST = 1000
_KEPT_MOST = 10_000
_NOT_ON_BOARDS = (
    "run.",
    "final.",
    "evaluation.queued",
    "evaluation.running",
    "evaluation.scoring",
    "calibration.",
)


class Changes:
    """Counts events: of each submission, of all that could move a leaderboard, and of what belongs to neither."""

    def __init__(
        self, engine: Engine, fresh_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._lock = Lock()
        self._thread = CapacityLimiter(1)
        self._looking = False
        self._looked = self._wrote = float("-inf")
        self._failed = float("-inf")
        self._error: Exception | None = None
        self._top: int | None = None
        self._late: dict[int, float] = {}  # numbers passed over, and until when they may come
        self._of: dict[str, int] = {}
        self.people = 0
        """Moves with accounts and tokens."""
        self.common = 0
        """Moves with competitions and references, and with all else that belongs to no submission."""
        self.boards = 0
        """Moves with what could move a leaderboard."""

    def of(self, submission_id: str) -> tuple[int, int]:
        """Return what moves with a submission."""
        return self.common, self._of.get(submission_id, 0)

    def wrote(self) -> None:
        """Say that this process has committed something: the next request looks, so that everybody sees their own."""
        self._wrote = self._clock()

    async def fresh(self) -> None:
        """Look, unless that was done a moment ago. Raises what the database raises when it is away."""
        age = self._clock() - self._looked
        own = self._looked <= self._wrote
        if not own and (age < self._fresh_seconds or (self._looking and age < PATIENCE_SECONDS)):
            return
        self._looking = True
        try:
            await to_thread.run_sync(self._look_unless_done, self._clock(), limiter=self._thread)
        finally:
            self._looking = False

    def _look_unless_done(self, asked: float) -> None:
        with self._lock:
            if self._looked >= asked:
                return
            if self._failed >= asked and self._error is not None:
                raise self._error  # who waited for that look need not wait for another
            try:
                self.look()
            except DATABASE_AWAY as error:
                self._failed, self._error = self._clock(), error
                raise

    def look(self) -> None:
        """Read what the log has got since the last look."""
        began = self._clock()
        with read_only(self._engine) as session:
            if self._top is None:
                self._begin(session, began)
            else:
                self._follow(session, began)
        self._looked = began

    def _begin(self, session: Session, now: float) -> None:
        """Everything kept is younger than this; only what is being committed just now may come late."""
        ids = list(session.scalars(select(Event.id).order_by(Event.id.desc()).limit(_LATE_MOST)))
        self._top = max(ids, default=0)
        self._pass_over(set(range(min(ids, default=1), self._top)) - set(ids), now)

    def _follow(self, session: Session, now: float) -> None:
        assert self._top is not None
        self._late = {number: until for number, until in self._late.items() if until > now}
        query = select(Event.id, Event.kind, Event.submission_id).where(
            or_(Event.id > self._top, Event.id.in_(self._late)) if self._late else Event.id > self._top
        )
        found = session.execute(query).all()
        for number, kind, submission_id in found:
            self._late.pop(number, None)
            self._count(kind, submission_id)
        numbers = {row.id for row in found}
        newest = max(numbers, default=self._top)
        self._pass_over(set(range(max(self._top + 1, newest - _LATE_MOST), newest)) - numbers, now)
        self._top = max(self._top, newest)

    def _pass_over(self, numbers: set[int], now: float) -> None:
        self._late |= dict.fromkeys(numbers, now + _LATE_SECONDS)

    def _count(self, kind: str, submission_id: str | None) -> None:
        if kind.startswith(("token.", "user.")):
            self.people += 1
            return
        if not kind.startswith(_NOT_ON_BOARDS):
            self.boards += 1
        if submission_id is None or len(self._of) >= _KEPT_MOST:
            self.common += 1
            self._of.clear()
        if submission_id is not None:
            self._of[submission_id] = self._of.get(submission_id, 0) + 1
