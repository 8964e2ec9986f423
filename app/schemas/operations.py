"""What organisers and admins see and do."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.base import Out
from app.schemas.scores import ScoreOut
from app.schemas.submissions import Links, ReasonOut
from app.status import Status, Verdict, WorkerState
from app.text import Reason


class RerunIn(BaseModel):
    """Why and where to grade again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"split": "public", "reason": "the worker's disk was full"}]},
    )
    split: str = Field(default="public", pattern="^(public|private)$")
    reason: Reason = Field(description="kept in the event log")


class EvaluationOut(Out):
    """One grading of a submission."""

    id: str
    submission_id: str
    split: str
    generation: int = Field(description="1 at first, one more for each rerun on this split, published or not")
    status: Status
    verdict: Verdict | None = Field(description="null until status is 'done'")
    reason: ReasonOut | None
    published: bool = Field(description="whether it is the one that is shown for its split")
    cancel_requested: bool
    score: ScoreOut | None
    created_at: datetime
    links: Links


class CancelOut(Out):
    """A cancel that was taken note of."""

    submission_id: str
    evaluations: list[EvaluationOut] = Field(description="what it reached, as it is now")


class CalibrationOut(Out):
    """What one retraining of a split takes on one device."""

    id: str
    competition: str = Field(description="slug")
    split: str
    reference_version: int
    current: bool = Field(description="whether new evaluations are graded against this reference")
    device: str = Field(description="digest of the facts")
    device_name: str
    facts: dict[str, Any] = Field(description="what decides how fast runs are: equal facts, one calibration")
    seconds: float = Field(description="median of the repeats")
    repeats: list[float] = Field(description="wall seconds of each retraining, as a run's are taken")
    worker: str
    measured_at: datetime
    drift: float | None = Field(description="seconds at the last look over these; null before the first")
    drifted: bool = Field(description="whether that strays too far; cutoffs change only when measured again")
    checked_at: datetime | None
    stale: bool = Field(description="whether it is to be measured again before it is used")


class CalibrationList(Out):
    """All calibrations, those of current references first."""

    items: list[CalibrationOut]
    next: str | None = Field(description="path of the next page; null on the last")


class WorkerOut(Out):
    """A worker process, as it tells of itself every few seconds."""

    name: str
    host: str
    pid: int
    device_class: str = Field(description="cpu or cuda")
    device: str = Field(description="digest of what it is, without any competition's limits")
    device_name: str
    sandboxes: str = Field(description="the back end, and its image's digest where there is one")
    version: str
    state: WorkerState = Field(description="lost: it has not been heard of for longer than a lease")
    run_id: str | None = Field(description="the run in hand")
    started_at: datetime
    seen_at: datetime


class LeaseOut(Out):
    """A run that is lent to a worker."""

    run_id: str
    submission_id: str
    evaluation_id: str
    competition: str = Field(description="slug")
    split: str
    seed_index: int = Field(description="-1 for a smoke run")
    worker: str | None
    started_at: datetime | None
    lease_until: datetime | None = Field(description="then others may have it, unless its worker is heard of")
    cutoff_seconds: float | None


class QueueOut(Out):
    """Queued runs; the low lane, that of reruns, comes after everything in the normal one."""

    normal: int
    low: int
    oldest_queued_at: datetime | None


class WorkerList(Out):
    """Workers by name, what waits for them, and what is lent."""

    queue: QueueOut
    items: list[WorkerOut]
    next: str | None = Field(description="path of the next page; null on the last")
    leases: list[LeaseOut]


class EventOut(Out):
    """What happened, in order."""

    id: int
    at: datetime
    kind: str
    actor: str
    submission_id: str | None
    evaluation_id: str | None
    detail: str


class EventPage(Out):
    """Events after a given one, oldest first."""

    items: list[EventOut]
    next: str = Field(description="path of what follows; ask again later when items is empty")
