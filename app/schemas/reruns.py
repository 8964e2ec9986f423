"""What the API speaks to organisers about reruns of many, and what they would change."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.reruns import MOST
from app.schemas.base import Graded, Out
from app.schemas.scores import DecimalsOut
from app.schemas.submissions import Links
from app.status import Status, Verdict
from app.text import PlainText, Reason

State = Literal["running", "ready", "applied", "dropped"]


_EXAMPLE: dict[str, Any] = {
    "evaluations": ["1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f"],
    "reason": "a driver gave wrong numbers on gpu-7",
}


class RerunManyIn(BaseModel):
    """What to grade again, and why."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})
    evaluations: list[Annotated[PlainText, Field(max_length=32)]] = Field(
        min_length=1, max_length=MOST, description="ids: each one's submission is graded again on its split"
    )
    reason: Reason = Field(description="kept in the event log")


class LeftOutOut(Out):
    """What could not be graded again."""

    submission_id: str
    split: str
    why: str


class RerunSummary(Out):
    """A rerun in a list."""

    id: str
    state: State = Field(description="ready: all of it has ended, and it waits to be applied or dropped")
    reason: str
    actor: str
    at: datetime
    total: int
    ended: int
    decided_by: str | None
    decided_at: datetime | None
    links: Links


class RerunMadeOut(RerunSummary):
    """A rerun that was just made."""

    left_out: list[LeftOutOut]


class RerunPage(Out):
    """One page of reruns, newest first."""

    items: list[RerunSummary]
    next: str | None = Field(description="path of the next page; null on the last")
    next_cursor: str | None


class RerunItemOut(Out):
    """One submission of a rerun."""

    evaluation_id: str
    submission_id: str
    name: str
    competition: str = Field(description="slug")
    split: str
    status: Status
    verdict: Verdict | None
    reason: str | None = Field(description="reason code")
    cancelling: bool
    old_score: Graded | None = Field(description="of what is shown beside it, by which the competition ranks")
    new_score: Graded | None
    decimals: DecimalsOut
    shown: bool = Field(description="whether it is shown, or would be if the rerun were applied now")
    why: str = Field(description="why so; empty while it is under way")


class StandingOut(Out):
    """A place, and the score that gives it."""

    rank: int
    score: float
    submission_id: str


class MoveOut(Out):
    """Somebody whose place or score would change; null is without a place."""

    name: str
    old: StandingOut | None
    new: StandingOut | None


class BoardMovesOut(Out):
    """Who would move on one board, by the new places."""

    competition: str = Field(description="slug")
    split: str
    decimals: DecimalsOut
    entrants: int = Field(description="on that board, whether they move or not")
    moves: list[MoveOut]


class RerunOut(RerunSummary):
    """A rerun with its submissions, and what applying it now would change."""

    evaluations: list[RerunItemOut]
    boards: list[BoardMovesOut] = Field(description="only of a rerun that is not decided")
