"""What the API speaks about final entries, closes and reveals."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from app.phases import Phase
from app.schemas.base import Graded, Out
from app.schemas.scores import DecimalsOut
from app.schemas.submissions import Links
from app.status import FinalState, Status, Verdict
from app.text import PlainText


class CandidateOut(Out):
    """A submission that is or could be a final entry."""

    submission_id: str
    user: str = Field(description="who sent it")
    note: str
    created_at: datetime
    status: Status = Field(description="on the public split")
    verdict: Verdict | None
    score: Graded | None = Field(description="on the public split, by which the leaderboard ranks")
    state: FinalState | None = Field(
        description="chosen, entered (taken at the close) or dropped (chosen, without a score at the close); "
        "null when it is no final entry"
    )
    automatic: bool = Field(description="taken at the close for a place that nobody's choice filled")
    evaluation: str | None = Field(
        description="on the private split: running or complete; its result is shown after the reveal"
    )
    private_verdict: Verdict | None = Field(
        description="how it ended on the private split; null before the reveal"
    )
    private_score: Graded | None = Field(description="on the private split; null before the reveal")
    links: Links


class FinalsOut(Out):
    """An entrant's final entries in a competition, and what could be chosen."""

    competition: str
    phase: Phase
    closes_at: datetime = Field(description="choices are locked from then on")
    locked: bool
    places: int = Field(description="how many final entries there may be")
    rule: str = Field(description="what becomes of places that are not chosen for")
    decimals: DecimalsOut
    ranked_by: str = Field(description="which score is shown")
    entries: list[CandidateOut] = Field(description="final entries")
    candidates: list[CandidateOut] = Field(description="others that may be chosen, best first; 200 at most")


class FinalsIn(BaseModel):
    """The whole choice: exactly these, and no others."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"submission_ids": ["3f2b8c1d9e4a4f6b8a7c6d5e4f3a2b1c"]}]},
    )
    submission_ids: list[PlainText] = Field(max_length=100, description="none leaves the choice to the close")
    seen: list[str] | None = Field(
        default=None,
        max_length=100,
        description="the final entries as you last read them: when they are others by now, nothing is changed and the "
        "answer is 409; without it the choice is replaced whatever it is",
    )


class ClosingOut(Out):
    """How far the close of a competition is, as its organisers see it."""

    competition: str
    phase: Phase
    closes_at: datetime
    closed_at: datetime | None = Field(description="when final entries were taken")
    revealed_at: datetime | None
    automatic: bool = Field(description="whether results are revealed without an organiser")
    waits_for: str | None = Field(description="why final entries are not taken yet")
    entries: int = Field(description="final entries that were taken")
    complete: int = Field(description="those of them whose private evaluation has ended")
    running: list[str] = Field(
        description="submissions whose private evaluation has not ended, or whose rerun waits for a decision"
    )
    stalled: list[str] = Field(
        description="submissions that stalled, were cancelled, or were scored under a reference that was replaced: rerun them"
    )
    failed: list[str] = Field(
        description="submissions that ended without a score on the private split by themselves, such as at the cutoff: "
        "they hold nothing up, but look at them before the reveal"
    )
    obstacle: str | None = Field(description="why the results cannot be revealed now; null when they can")
    forceable: bool = Field(
        description="whether only entries that had no score after a rerun either are in the way"
    )


class RevealIn(BaseModel):
    """Whether to go past what stalled."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"force": False}]})
    force: bool = Field(
        default=False,
        description="leave entries that had no score after a rerun either without a private score",
    )
