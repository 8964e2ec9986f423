"""The queue as this process saw it a moment ago: who is before whom, how fast things go, and when one may be done.

One look serves everybody who asks within a second: three short queries, whatever the number of those who wait.
"""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import estimates
from app.estimates import Pace, Work
from app.evaluations import turns
from app.models import Competition, Evaluation, Reference, Run, Worker
from app.queue import DEVICES
from app.schemas.progress import EstimateOut
from app.status import RunKind, RunStatus, Status, Verdict, WorkerState

YOUNG_SECONDS = 1.0
YOUNG_TIMES = 10
"""A look that took long, for the queue is long, serves for so many times as long."""
PACES_SECONDS = 30.0
_RECENT_EVALUATIONS = 12
_RECENT_RUNS = 200
_AT_WORK = (WorkerState.IDLE, WorkerState.RUNNING)
_IN_QUEUE = (RunStatus.QUEUED, RunStatus.RUNNING)
_BEFORE_UNKNOWN = "no estimate yet: runs that go before it were never measured"


@dataclass(frozen=True)
class Paces:
    """How long runs and scorings of one competition have kept workers lately."""

    run: Pace | None
    scoring: Pace | None


@dataclass(frozen=True)
class Active:
    """An evaluation that is not done, as the queue knows it."""

    evaluation_id: str
    competition_id: str
    devices: frozenset[str]
    order: tuple[int, int, datetime, str]
    """Its place among others, as app.evaluations.runs.ORDER has it."""
    waiting: int
    running: int


@dataclass(frozen=True)
class Place:
    """How many submissions go before one, and when it may be done."""

    ahead: int
    estimate: EstimateOut | None
    words: str

    @property
    def tag(self) -> str:
        """What changes when this does."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Snapshot:
    """The queue at one moment."""

    active: dict[str, Active]
    paces: dict[str, Paces]
    own: dict[str, Pace]
    """Of evaluations some of whose own runs have ended: nothing tells more of the others."""
    workers: dict[str, int]
    _places: dict[str, Place] = field(default_factory=dict)

    def place(self, evaluation_id: str) -> Place | None:
        """Return an evaluation's place; None if it was not there, or was done."""
        if evaluation_id not in self._places and evaluation_id in self.active:
            self._places[evaluation_id] = self._place(self.active[evaluation_id])
        return self._places.get(evaluation_id)

    def _place(self, mine: Active) -> Place:
        rivals = [one for one in self.active.values() if one is not mine and one.devices & mine.devices]
        first = [one for one in rivals if one.waiting and one.order < mine.order]
        estimate, words = self._estimate(mine, rivals)
        return Place(len(first), estimate, words)

    def _estimate(self, mine: Active, rivals: list[Active]) -> tuple[EstimateOut | None, str]:
        own = self._work(mine, mine.waiting)
        if own is None or (own.scoring is None and not own.waiting + own.running):
            return None, estimates.NOTHING_MEASURED
        before = [
            self._work(one, one.waiting if one.order < mine.order else 0)
            for one in rivals
            if one.running or (one.waiting and one.order < mine.order)
        ]
        known = [work for work in before if work is not None]
        if len(known) < len(before):
            return None, _BEFORE_UNKNOWN
        found = estimates.until_done(own, known, self.workers)
        if found is None:
            return None, estimates.NO_WORKER
        span = estimates.rounded(found)
        low, high = int(span.low), int(span.high)
        estimate = EstimateOut(
            low_seconds=low,
            high_seconds=high,
            until="last_run" if own.scoring is None else "score",
            measured_runs=own.run.measured,
            workers=sum(self.workers.get(device, 0) for device in mine.devices),
        )
        return estimate, estimates.in_words(low, high)

    def _work(self, one: Active, waiting: int) -> Work | None:
        paces = self.paces.get(one.competition_id, Paces(None, None))
        run = self.own.get(one.evaluation_id) or paces.run
        return None if run is None else Work(waiting, one.running, run, paces.scoring, one.devices)


@dataclass
class Queues:
    """The newest snapshot, shared by a process's threads; `lost_after` is how long a worker may be silent."""

    lost_after: timedelta
    clock: Callable[[], float] = time.monotonic
    _kept: tuple[Snapshot, float] | None = None
    _paces: dict[str, tuple[Paces, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def known(self, evaluation_id: str) -> Place | None:
        """Return a place that still holds; None says to `get` it. While one looks, others go on with the last look."""
        if self._kept is None or not (self.clock() < self._kept[1] or self._lock.locked()):
            return None
        return self._kept[0].place(evaluation_id)

    def get(self, session: Session, evaluation_id: str, now: datetime) -> Place | None:
        """Return an evaluation's place, looking again if need be; None when it is not in the queue."""
        with self._lock:
            found = None
            if self._kept is not None and self.clock() < self._kept[1]:
                found = self._kept[0].place(evaluation_id)
            if found is None:
                began = self.clock()
                snapshot = self._look(session, now)
                ended = self.clock()
                self._kept = (snapshot, ended + max(YOUNG_SECONDS, YOUNG_TIMES * (ended - began)))
                found = snapshot.place(evaluation_id)
            return found

    def _look(self, session: Session, now: datetime) -> Snapshot:
        active = {one.evaluation_id: one for one in _active(session)}
        return Snapshot(
            active=active,
            paces=self._paces_of(session, {one.competition_id for one in active.values()}),
            own=_own(session),
            workers=_workers(session, now - self.lost_after),
        )

    def _paces_of(self, session: Session, competitions: set[str]) -> dict[str, Paces]:
        for one in competitions:
            kept = self._paces.get(one)
            # before anything was measured, look each time: the first to come are the most curious
            if kept is None or kept[0].run is None or self.clock() >= kept[1]:
                self._paces[one] = (_measured(session, one), self.clock() + PACES_SECONDS)
        return {one: self._paces[one][0] for one in competitions}


def _active(session: Session) -> Iterable[Active]:
    references = {
        row.id: (row.competition_id, frozenset(DEVICES if row.device == "any" else (row.device,)))
        for row in session.execute(
            select(Reference.id, Reference.competition_id, turns.wanted_device().label("device")).join(
                Competition
            )
        )
    }
    key = (Run.evaluation_id, Run.reference_id, Run.lane, Run.turn, Run.queued_at)
    rows = session.execute(
        select(*key, Run.status, func.count()).where(Run.status.in_(_IN_QUEUE)).group_by(*key, Run.status)
    )
    counts: dict[tuple[str, str, int, int, datetime], dict[RunStatus, int]] = defaultdict(dict)
    for *one, status, count in rows:
        counts[tuple(one)][status] = count  # type: ignore[index]  # five columns, as above
    for (evaluation_id, reference_id, lane, turn, queued_at), found in counts.items():
        waiting, running = (found.get(status, 0) for status in _IN_QUEUE)
        order = (lane, turn, queued_at, evaluation_id)
        yield Active(evaluation_id, *references[reference_id], order, waiting, running)
    scoring = select(Evaluation.id, Evaluation.reference_id, Evaluation.created_at)
    for one_id, reference_id, at in session.execute(scoring.where(Evaluation.status == Status.SCORING)):
        yield Active(one_id, *references[reference_id], (0, 0, at, one_id), 0, 0)


def _own(session: Session) -> dict[str, Pace]:
    rows = session.execute(
        select(Run.evaluation_id, Run.started_at, Run.finished_at)
        .join(Evaluation)
        .where(
            Evaluation.status == Status.RUNNING,
            Run.status == RunStatus.SUCCEEDED,
            Run.kind == RunKind.SEED,
        )
    )
    seconds: dict[str, list[float]] = defaultdict(list)
    for evaluation_id, began, ended in rows:
        if began is not None and ended is not None:
            seconds[evaluation_id].append((ended - began).total_seconds())
    paces = {evaluation_id: estimates.pace(found) for evaluation_id, found in seconds.items()}
    return {evaluation_id: found for evaluation_id, found in paces.items() if found is not None}


def _measured(session: Session, competition_id: str) -> Paces:
    """Return how long the last evaluations' runs kept a worker, and how long their scoring took."""
    recent = (
        select(Evaluation.id)
        .join(Reference)
        .where(Reference.competition_id == competition_id, Evaluation.started_at.is_not(None))
        .order_by(Evaluation.started_at.desc())
        .limit(_RECENT_EVALUATIONS)
    )
    rows = session.execute(
        select(Evaluation.id, Evaluation.verdict, Evaluation.finished_at, Run.started_at, Run.finished_at)
        .join(Run, Run.evaluation_id == Evaluation.id)
        .where(
            Evaluation.id.in_(recent),
            Run.status.in_((RunStatus.SUCCEEDED, RunStatus.FAILED)),
            Run.kind == RunKind.SEED,
            Run.started_at.is_not(None),
            Run.finished_at.is_not(None),
        )
        .order_by(Run.finished_at.desc())
        .limit(_RECENT_RUNS)
    ).all()
    scorings: dict[str, float] = {}
    runs = []
    for evaluation_id, verdict, over, began, ended in rows:  # the first of each is its last run
        assert began is not None
        assert ended is not None
        runs.append((ended - began).total_seconds())
        if verdict is Verdict.SCORED and over is not None:
            scorings.setdefault(evaluation_id, (over - ended).total_seconds())
    return Paces(estimates.pace(runs), _scoring_pace(list(scorings.values())))


def _scoring_pace(seconds: list[float]) -> Pace | None:
    """Return the pace of scoring, which hardly differs: one measurement says something already."""
    if 0 < len(seconds) < estimates.LEAST_MEASURED:
        return Pace(min(seconds), max(seconds), max(seconds), len(seconds))
    return estimates.pace(seconds)


def _workers(session: Session, since: datetime) -> dict[str, int]:
    rows = session.execute(
        select(Worker.device_class, func.count())
        .where(Worker.seen_at > since, Worker.state.in_(_AT_WORK))
        .group_by(Worker.device_class)
    )
    return dict(rows.all())
