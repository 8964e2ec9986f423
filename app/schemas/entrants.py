"""What the API speaks to organisers about entrants: their quota, and whether they count."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.quota import MOST_ADJUSTED
from app.schemas.base import Out
from app.schemas.competitions import AdjustmentOut, QuotaOut
from app.schemas.submissions import DisqualifiedOut, Links
from app.text import Reason


def _with(reason: str, **more: Any) -> ConfigDict:
    """Take nothing else than what is declared, and show an example."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": reason, **more}]})


class ReasonIn(BaseModel):
    """Why."""

    model_config = _with("the bundle was looked at again, and nothing is wrong with it")
    reason: Reason = Field(description="kept in the event log")


class DisqualifyIn(BaseModel):
    """Why something is not to count."""

    model_config = _with("two accounts of one person")
    reason: Reason = Field(description="kept in the event log, and shown to whom it concerns")


class AdjustIn(BaseModel):
    """How many submissions are given or taken."""

    model_config = _with("the queue stood still yesterday", amount=2, day="2026-03-01")
    amount: int = Field(ge=-MOST_ADJUSTED, le=MOST_ADJUSTED, description="negative to take some; not 0")
    day: date | None = Field(
        default=None, description="the only UTC day that it is for; without it, every day"
    )
    reason: Reason = Field(description="kept in the ledger, and shown to the entrant")


class DecisionOut(Out):
    """A disqualification, and how it ended if it did."""

    submission_id: str | None = Field(description="null: all of the entrant's")
    reason: str
    actor: str
    at: datetime
    lifted_at: datetime | None = Field(description="null while it is in force")
    lifted_by: str | None
    lifted_reason: str | None


class EntrantSummary(Out):
    """An entrant of a competition in a list."""

    competition: str = Field(description="slug")
    name: str
    submissions: int
    last_at: datetime
    disqualified: bool = Field(description="whether none of theirs counts")
    links: Links


class EntrantPage(Out):
    """One page of entrants, by competition and name."""

    items: list[EntrantSummary]
    next: str | None = Field(description="path of the next page; null on the last")
    next_cursor: str | None


class EntrantOut(Out):
    """Somebody in a competition, as admins see them."""

    competition: str = Field(description="slug")
    name: str
    team: str | None = Field(description="their team; what is decided is for all of it")
    submissions: int = Field(description="theirs and their team's")
    last_at: datetime | None = Field(description="of the last submission")
    quota: QuotaOut
    adjustments: list[AdjustmentOut] = Field(description="of today and later")
    disqualified: DisqualifiedOut | None = Field(description="null while theirs count")
    decisions: list[DecisionOut] = Field(description="about them and their submissions, newest first")
    links: Links
