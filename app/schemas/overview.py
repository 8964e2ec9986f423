"""What the API speaks to admins about how things stand."""

from datetime import datetime

from pydantic import Field

from app.schemas.base import Out
from app.schemas.operations import CalibrationOut
from app.schemas.reruns import RerunSummary
from app.status import Status, WorkerState


class WaitingOut(Out):
    """Queued runs of one lane that want one class of devices."""

    lane: str = Field(description="normal, or low: reruns, which come after everything else")
    device_class: str = Field(description="cpu, cuda, or any")
    runs: int
    oldest_at: datetime
    served: bool = Field(description="whether a worker of that class is alive")


class OverviewOut(Out):
    """How things stand, and what needs somebody."""

    waiting: list[WaitingOut]
    running: int = Field(description="runs that are lent to a worker")
    evaluations: dict[Status, int] = Field(description="those that have not ended, by status")
    workers: dict[WorkerState, int]
    stalled: int = Field(description="evaluations that ended through our fault and wait for a rerun")
    reruns: list[RerunSummary] = Field(description="of many; under way, or waiting for a decision")
    drifted: list[CalibrationOut] = Field(description="devices that are not as fast as they were")
