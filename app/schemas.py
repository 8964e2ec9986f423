"""What the API speaks; pages are drawn from the same read models."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.competitions import Ranking
from app.phases import Phase
from app.reasons import Fault
from app.schemas_base import Graded as Graded  # noqa: PLC0414 - others take these from here
from app.schemas_base import Out as Out  # noqa: PLC0414
from app.schemas_base import Seconds as Seconds  # noqa: PLC0414
from app.schemas_progress import ProgressOut
from app.status import RunStatus, Status, Verdict, WorkerState
from app.text import PlainText


class DecimalsOut(Out):
    """How finely a competition publishes."""

    score: int = Field(description="of scores and of whatever else was measured on hidden data")
    seconds: int


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
    log: str | None = Field(description="path of what it printed; null until it has ended")
    dropped_bytes: int | None = Field(description="left out in the middle of the log")


class RetrainingOut(Out):
    """Retraining from scratch, scored like a submission: what a perfect method gets on average."""

    score: Graded = Field(description="the official score")
    interval_low: Graded | None = Field(default=None, description="of the official score, 95 %")
    interval_high: Graded | None = None
    calibrated_score: Graded | None = Field(
        default=None, description="1 by definition; null where it was not taken"
    )
    forgetting_quality: Graded
    retain_ratio: Graded
    test_ratio: Graded
    median_seconds: Seconds | None = Field(default=None, description="wall seconds of one retraining")


class FlagOut(Out):
    """Something about outputs that honest, independent runs rarely show; it changes no score."""

    code: str = Field(description="stable; safe to match on")
    name: str
    meaning: str


class SummaryOut(Out):
    """What stands behind a score, over the forget set; null where it could not be taken."""

    forget_accuracy: Graded | None = Field(
        default=None, description="mean of the unlearned models on the forget set"
    )
    retrained_forget_accuracy: Graded | None = Field(
        default=None,
        description="the same of retrained models: above it forgets too little, below it too much",
    )
    median_epsilon: Graded | None = Field(default=None, description="of the examples; lower is better")
    share_without_points: Graded | None = Field(default=None, description="examples that earn no points")
    median_attack_auc: Graded | None = Field(
        default=None, description="of a likelihood-ratio attack on each example; 0.5 is no better than chance"
    )
    share_proved: Graded | None = Field(
        default=None,
        description="examples whose epsilon is above 0 by an attack judged on models that it was not chosen on; "
        "up to 0.05 by chance",
    )
    share_rejected: Graded | None = Field(
        default=None,
        description="examples that a Kolmogorov-Smirnov test tells apart, after Benjamini and Hochberg at 5 %",
    )


class ScoreOut(Out):
    """A score, with what it was computed under."""

    ranked_by: Ranking = Field(description="which of the two scores orders the leaderboard")
    score: Graded = Field(description="the official one: forgetting quality x retain ratio x test ratio")
    interval_low: Graded | None = Field(description="of the official score, 95 %; null where N is too small")
    interval_high: Graded | None
    calibrated_score: Graded | None = Field(
        description="with forgetting quality over that of retraining: 1 means as good as retraining"
    )
    calibrated_low: Graded | None = Field(description="of the calibrated score, 95 %")
    calibrated_high: Graded | None
    forgetting_quality: Graded
    retain_ratio: Graded = Field(description="retain accuracy over that of retraining")
    test_ratio: Graded = Field(description="test accuracy over that of retraining")
    flags: list[FlagOut]
    summary: SummaryOut | None = Field(
        description="what stands behind the score; null where an older grader scored it"
    )
    retraining_score: Graded | None = Field(
        description="the official score of retraining from scratch under the same reference"
    )
    grader_version: str
    reference_digest: str


class Links(Out):
    """Where this is."""

    self: str
    html: str


class DisqualifiedOut(Out):
    """Why something does not count. Only those read it whom it concerns, and admins."""

    reason: str
    at: datetime
    everything: bool = Field(description="whether it is all of the entrant's submissions to the competition")


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
    disqualified: bool = Field(description="whether it counts nowhere, by an admin's decision")
    links: Links


class SubmissionPage(Out):
    """One page of a list, newest first."""

    items: list[SubmissionSummary]
    next: str | None = Field(description="path of the next page; null on the last")
    next_cursor: str | None


class AdjustmentOut(Out):
    """Submissions that an admin gave, or took."""

    amount: int = Field(description="negative where some were taken")
    day: date | None = Field(description="the UTC day that it is for; null: every day")
    reason: str
    at: datetime


class QuotaOut(Out):
    """What one may still submit today."""

    limit: int = Field(description="the competition's, with what the adjustments add or take")
    used: int
    remaining: int
    resets_at: datetime
    adjustments: list[AdjustmentOut] = Field(description="what an admin changed of today's limit")


class BundleLimitsOut(Out):
    """Limits on an upload."""

    max_bytes: int
    max_unpacked_bytes: int
    max_files: int
    per_day: int


class CompetitionOut(Out):
    """A competition, as far as a participant needs it."""

    slug: str
    title: str
    summary: str
    state: str = Field(description="upcoming, open or closed")
    phase: Phase = Field(
        description="upcoming, open, finals (closed; final entries are evaluated on the private split) or revealed"
    )
    opens_at: datetime
    closes_at: datetime
    revealed_at: datetime | None = Field(description="when the private leaderboard was revealed")
    next_at: datetime | None = Field(
        description="when the next phase begins; null where that is no matter of time"
    )
    what_next: str = Field(description="what happens next, in words")
    final_entries: int = Field(description="submissions of each entrant that the private split decides by")
    entry_function: str
    limits: BundleLimitsOut
    ranked_by: Ranking = Field(description="which score orders the leaderboard")
    runs: int = Field(description="N: runs per submission, each with its own seed")
    cutoff_fraction: float
    cutoff_seconds: float | None = Field(
        description="that fraction of retrain_seconds, null until the competition is prepared; "
        "a run's own is of what retraining takes on its device"
    )
    retrain_seconds: Seconds | None = Field(description="median of one retraining when it was prepared")
    decimals: DecimalsOut = Field(description="how finely scores and seconds are published")
    smoke_run: bool = Field(
        description="whether code runs once on public data, with a log, before it is scored"
    )
    memory_mb: int
    threads: int
    reference_version: int | None
    reference_digest: str | None
    retraining: RetrainingOut | None
    quota: QuotaOut | None = Field(description="null unless signed in")
    disqualified: DisqualifiedOut | None = Field(description="null unless you are disqualified from it")
    links: Links


class CompetitionSummary(Out):
    """A competition in a list."""

    slug: str
    title: str
    summary: str
    state: str
    phase: Phase = Field(
        description="upcoming, open, finals (closed; final entries are evaluated on the private split) or revealed"
    )
    opens_at: datetime
    closes_at: datetime
    revealed_at: datetime | None
    participants: int = Field(description="people alone and teams that have submitted")
    submissions: int
    links: Links


class CompetitionList(Out):
    """All competitions, the open ones first."""

    items: list[CompetitionSummary]
    next: str | None = Field(description="path of the next page; null on the last")


class LeaderboardRow(Out):
    """The best scored submission of a person or a team."""

    rank: int = Field(description="position in the list")
    public_rank: int | None = Field(description="the same on the public split; null there")
    rank_change: int | None = Field(
        description="places gained (lost, if negative) from the public split to the private"
    )
    band: int = Field(description="rows of one band are tied, as tie_rule says")
    band_first: int = Field(description="the band's first rank")
    band_last: int = Field(description="the band's last rank")
    entrant: str = Field(description="the name of the person or the team")
    kind: Literal["person", "team"]
    members: list[str] = Field(description="names of the team's members; a person's own")
    user: str = Field(description="who sent the submission")
    submission_id: str
    score: Graded = Field(description="the one that ranks; see ranked_by")
    interval_low: Graded | None = Field(description="of that score, 95 %; null where N is too small")
    interval_high: Graded | None
    official_score: Graded
    calibrated_score: Graded | None
    forgetting_quality: Graded
    retain_ratio: Graded
    test_ratio: Graded
    flags: list[str] = Field(description="codes; the board's flags say what they mean")
    entries: int
    last_at: datetime
    median_seconds: Seconds | None


class LeaderboardOut(Out):
    """A split's leaderboard at one moment."""

    competition: str
    split: str = Field(description="public, or private: there final entries alone are ranked, and it decides")
    as_of: datetime = Field(description="when it was put together; nothing in it has changed since")
    ranked_by: Ranking = Field(description="which score orders the rows")
    ranking: str = Field(description="the same in words")
    tie_rule: str
    decimals: DecimalsOut
    flags: list[FlagOut] = Field(description="what the flags mean that rows carry")
    retraining: RetrainingOut | None = Field(description="the row of retraining from scratch; not ranked")
    unranked: int = Field(
        description="submissions scored under an older reference: not ranked until an admin reruns them"
    )
    without_score: int = Field(
        description="submissions without the score that ranks, made by an older grader: not ranked until regraded"
    )
    rows: list[LeaderboardRow]


class RerunIn(BaseModel):
    """Why and where to grade again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"split": "public", "reason": "the worker's disk was full"}]},
    )
    split: str = Field(default="public", pattern="^(public|private)$")
    reason: PlainText = Field(min_length=1, max_length=500, description="kept in the event log")


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


class ProblemOut(Out):
    """An error: RFC 9457 problem details with a stable code."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    advice: str
    request_id: str
    instance: str


class Ready(Out):
    """What the service needs, and how it found it: "ok", or in words what is wrong with what it can do without."""

    status: str
    checks: dict[str, str]


class Health(Out):
    """Whether the service can reach its database."""

    status: str
    database: str
