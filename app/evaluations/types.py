"""What passes between the state machine and the workers."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.competitions import CompetitionConfig
from app.status import RunKind, Verdict


@dataclass(frozen=True)
class Claim:
    """One run lent to one worker; everything it needs, valid while its fence is the row's."""

    run_id: str
    evaluation_id: str
    competition_slug: str
    seed: int
    seed_index: int
    fence: int
    bundle_digest: str
    reference_digest: str
    cutoff_seconds: float
    worker: str
    kind: RunKind = RunKind.SEED

    @property
    def label(self) -> str:
        """What the run is called in events and logs."""
        return "smoke run" if self.kind is RunKind.SMOKE else f"seed {self.seed_index}"


@dataclass(frozen=True)
class RunLog:
    """What a smoke run printed: a blob, and how many bytes were left out in its middle."""

    digest: str
    dropped_bytes: int = 0


@dataclass(frozen=True)
class NextUp:
    """The reference whose run has waited longest: what a worker needs to know before it asks for one."""

    reference_id: str
    reference_digest: str
    split: str
    retrain_seconds: float  # by whoever prepared it; on this device it may be another number
    config: CompetitionConfig


@dataclass(frozen=True)
class FinishedRun:
    """A succeeded run: where its outputs are, its wall seconds, and what it could have taken."""

    seed_index: int
    outputs_digest: str
    seconds: float
    cutoff_seconds: float


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended: outputs, or a participant's verdict with its reason code.

    A smoke run has a log however it ended, and no outputs.
    """

    seconds: float  # host's clock
    outputs_digest: str | None = None
    verdict: Verdict | None = None
    reason: str | None = None
    log: RunLog | None = None

    def __post_init__(self) -> None:
        """Refuse an outcome that is neither, or both a smoke run's and another's."""
        failed = self.verdict is not None and self.reason is not None
        succeeded = self.verdict is None and self.reason is None
        left = (self.outputs_digest is not None) + (self.log is not None)
        if not (failed and self.outputs_digest is None) and not (succeeded and left == 1):
            raise ValueError("an outcome has either outputs, or a log alone, or a verdict and a reason")


class Recorded(StrEnum):
    """What recording a run led to."""

    RECORDED = "recorded"
    LAST = "last"  # the evaluation is in scoring; the caller scores it
    ENDED = "ended"  # the evaluation is done: this run failed, or a cancel was asked for
    LOST = "lost"  # the run is no longer the caller's; nothing changed


@dataclass(frozen=True)
class ScoringClaim:
    """One evaluation lent to one scorer, valid while its fence is the row's."""

    evaluation_id: str
    fence: int
    reference_digest: str


@dataclass(frozen=True)
class NewScore:
    """What the grader found; `report` is JSON-safe.

    The intervals are 95 %, (low, high). `replicates` are the scores on half of the models, for the same halves
    whoever submitted, under "official" and "calibrated"; {} where N is too small for them, None where a half has none. `summary` has app.schemas.SummaryOut's
    keys, and `plots` those of app.plots.Plots.
    """

    grader_version: str
    score: float
    forgetting_quality: float
    retain_ratio: float
    test_ratio: float
    report: dict[str, Any]
    calibrated_score: float | None = None
    interval: tuple[float, float] | None = None
    calibrated_interval: tuple[float, float] | None = None
    flags: tuple[str, ...] = ()
    replicates: dict[str, list[float | None]] = field(default_factory=dict)
    summary: dict[str, float | None] | None = None
    plots: dict[str, Any] | None = None
