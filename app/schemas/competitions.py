"""Competitions, and what may still be sent to them."""

from datetime import date, datetime

from pydantic import Field

from app.competitions import Batches, Ranking
from app.phases import Phase
from app.schemas.base import Graded, Out, Seconds
from app.schemas.scores import DecimalsOut, RetrainingOut
from app.schemas.submissions import DisqualifiedOut, Links


class AdjustmentOut(Out):
    """Submissions that an organiser gave, or took."""

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
    adjustments: list[AdjustmentOut] = Field(description="what an organiser changed of today's limit")


class BundleLimitsOut(Out):
    """Limits on an upload."""

    max_bytes: int
    max_unpacked_bytes: int
    max_files: int
    per_day: int


class PageOut(Out):
    """One of a competition's pages."""

    name: str = Field(description="in its address: /competitions/SLUG/pages/NAME")
    title: str = Field(description="the same in words")
    markdown: str = Field(description="what its organisers wrote")


class MemoryOut(Out):
    """What a model remembers; shares are between 0 and 1."""

    forget_accuracy: Graded = Field(description="share of the forget set that it gets right")
    retain_accuracy: Graded = Field(description="of the retain set")
    test_accuracy: Graded = Field(description="of data that no model was trained on")
    attack_auc: Graded = Field(
        description="of a membership attack on the forget set; 0.5 cannot tell it from unseen data"
    )


class FactsOut(Out):
    """What preparing the public split measured of its models."""

    original: MemoryOut = Field(description="the model that is given")
    retrained: MemoryOut = Field(
        description="the mean of models retrained without the forget set: those that submissions are graded "
        "against, and as many more"
    )


class CompetitionOut(Out):
    """A competition, as far as a participant needs it."""

    slug: str
    title: str
    summary: str
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
    batches: Batches = Field(description="what loaders yield")
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
    pages: list[PageOut] = Field(description="overview, rules and data first, then the others by name")
    facts: FactsOut | None = Field(
        description="what the original model remembers; null until the competition is prepared"
    )
    quota: QuotaOut | None = Field(description="null unless signed in")
    disqualified: DisqualifiedOut | None = Field(description="null unless you are disqualified from it")
    links: Links


class CompetitionSummary(Out):
    """A competition in a list."""

    slug: str
    title: str
    summary: str
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
