"""A submission and its runs."""

from datetime import datetime

from pydantic import Field

from app.competitions import Ranking
from app.reasons import Fault
from app.schemas.base import Graded, Out, Seconds
from app.schemas.progress import ProgressOut
from app.schemas.scores import DecimalsOut, ScoreOut
from app.status import RunStatus, Status, Verdict


class ReasonOut(Out):
    """Why a submission ended without a score."""

    code: str = Field(description="stable; safe to match on")
    cause: str
    advice: str = Field(description="what to change")
    fault: Fault = Field(description="whose doing it was; what is Lethe's own costs no quota")


class RunCounts(Out):
    """How many of an evaluation's runs are in each state."""

    total: int
    succeeded: int
    running: int
    queued: int
    failed: int


class RunOut(Out):
    """One seed of an evaluation."""

    seed_index: int = Field(description="0 to N-1; the seed itself stays secret")
    status: RunStatus
    seconds: Seconds | None = Field(description="host's clock, from GO to the sandbox's death")
    cutoff_seconds: float | None = Field(
        description="this run's own limit, of what retraining takes on its device; null until a worker takes it"
    )
    device: str | None = Field(description="where it runs or ran, in words")
    reason: str | None = Field(description="reason code, only when the run failed")
    losses: int = Field(description="times that we lost a worker or sandbox under it; nothing is charged")


class SmokeOut(Out):
    """The run on public data that comes before all others and counts towards no score; what it printed is shown."""

    status: RunStatus
    verdict: Verdict | None = Field(description="only when it failed, which ends the submission")
    reason: str | None = Field(description="reason code, only when it failed")
    seconds: Seconds | None
    log: str | None = Field(description="path of what it has printed; null until it has begun")
    dropped_bytes: int | None = Field(
        description="left out in the middle of the log; null until it has ended"
    )


class Links(Out):
    """Where this is."""

    self: str
    html: str


class DisqualifiedOut(Out):
    """Why something does not count. Only those read it whom it concerns, and admins."""

    reason: str
    at: datetime
    everything: bool = Field(description="whether it is all of the entrant's submissions to the competition")


class EvaluationSummary(Out):
    """An evaluation in its submission's list; the whole is at /api/v1/evaluations/ID."""

    id: str
    split: str
    generation: int = Field(description="1 at first, one more for each rerun on this split, published or not")
    status: Status
    verdict: Verdict | None = Field(description="null until status is 'done'")
    reason: str | None = Field(description="reason code")
    published: bool = Field(description="whether it is the one that is shown for its split")
    cancel_requested: bool
    score: Graded | None = Field(description="by which the competition ranks")
    created_at: datetime


class SubmissionOut(Out):
    """A submission and its published evaluation on the public split."""

    id: str
    competition: str = Field(description="slug")
    user: str = Field(description="who sent it")
    team: str | None = Field(
        description="whose it is, with all its members; null where it is the sender's alone"
    )
    note: str
    created_at: datetime
    bundle_digest: str = Field(description="sha256 of the upload")
    bundle_bytes: int
    status: Status
    verdict: Verdict | None = Field(description="null until status is 'done'")
    reason: ReasonOut | None
    runs: RunCounts
    progress: ProgressOut
    cutoff_seconds: float = Field(
        description="a run's limit in wall seconds where retraining takes what the reference says; "
        "run_details has each run's own"
    )
    decimals: DecimalsOut
    generation: int = Field(description="of the evaluation that is shown; each rerun counts, shown or not")
    score: ScoreOut | None
    reference_version: int = Field(description="that the evaluation that is shown is graded against")
    evaluations: list[EvaluationSummary] = Field(
        description="those that you may see, oldest first: all for organisers; for others without what is held back until a rerun of many is applied, and without the private split's before the results are revealed"
    )
    refunded: bool = Field(description="whether its quota was given back")
    may_cancel: bool = Field(description="whether there is anything that you may stop")
    run_details: list[RunOut]
    smoke: SmokeOut | None = Field(description="null where the competition gives no public data")
    disqualified: DisqualifiedOut | None = Field(description="null while it counts")
    links: Links


class SubmissionSummary(Out):
    """A submission in a list."""

    id: str
    competition: str
    competition_title: str
    user: str = Field(description="who sent it")
    team: str | None = Field(
        description="whose it is, with all its members; null where it is the sender's alone"
    )
    note: str
    created_at: datetime
    status: Status
    verdict: Verdict | None
    reason: str | None = Field(description="reason code")
    ranked_by: Ranking = Field(description="which score its competition ranks by")
    score: Graded | None = Field(description="that score")
    decimals: DecimalsOut
    runs_done: int
    runs_total: int
    generation: int
    disqualified: bool = Field(description="whether it counts nowhere, by an organiser's decision")
    links: Links


class SubmissionPage(Out):
    """One page of a list, newest first."""

    items: list[SubmissionSummary]
    next: str | None = Field(description="path of the next page; null on the last")
    next_cursor: str | None
