"""How far a submission has come, and when it may be done."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.base import Out, Seconds
from app.status import Status, Verdict

StageName = Literal["received", "queued", "smoke", "runs", "scoring", "done"]
StageState = Literal["done", "stopped", "now", "ahead"]


class StageOut(Out):
    """One step of a submission's way."""

    name: StageName
    state: StageState = Field(description="stopped: the submission ended in it, without a score")
    started_at: datetime | None = Field(description="to the second; null while it lies ahead")
    seconds: Seconds | None = Field(description="how long it took; null until it has ended")


class EstimateOut(Out):
    """Seconds from now until the end, from what was measured here lately; a range, since runs differ."""

    low_seconds: int
    high_seconds: int
    until: Literal["score", "last_run"] = Field(description="last_run while no scoring was measured yet")
    measured_runs: int = Field(description="on how many ended runs it rests")
    workers: int = Field(description="at work now on devices that may take it")


class ProgressOut(Out):
    """How far a submission has come."""

    stages: list[StageOut]
    runs_done: int = Field(description="k of the runs that are scored")
    runs_total: int = Field(description="N")
    ahead: int | None = Field(description="submissions before this one; null unless it waits in the queue")
    estimate: EstimateOut | None = Field(description="null when it is done, and where none can be said")
    estimate_words: str | None = Field(description="the same in words, or why there is none; null when done")
    remarks: list[str] = Field(description="what went wrong on our side on the way; nothing of it is charged")


class ChangedOut(Out):
    """What the event `changed` of a stream tells: how far it is; read the submission for the rest."""

    status: Status
    verdict: Verdict | None
    runs_done: int
    runs_total: int
    ahead: int | None
    estimate_words: str | None
    final: bool = Field(description="nothing more will change by itself: this is the last event")


class BeatOut(Out):
    """What the event `beat` of a stream tells, at its beginning and whenever it was silent for a while."""

    beat_seconds: float = Field(description="the longest silence of a healthy stream")
    poll_seconds: int = Field(description="how far apart to poll where streams do not come through")
