"""What the API speaks to admins about everybody's evaluations."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.base import Graded, Out
from app.schemas.scores import DecimalsOut
from app.schemas.submissions import Links
from app.status import Status, Verdict
from app.text import Reason


class EvaluationRow(Out):
    """An evaluation in a list."""

    id: str
    submission_id: str
    name: str = Field(description="whose submission it is of")
    competition: str = Field(description="slug")
    split: str
    generation: int
    status: Status
    verdict: Verdict | None
    reason: str | None = Field(description="reason code")
    published: bool
    cancel_requested: bool
    rerun_id: str | None = Field(description="the rerun of many that it is of")
    disqualified: bool = Field(description="whether its submission counts nowhere")
    score: Graded | None = Field(description="by which its competition ranks")
    decimals: DecimalsOut
    created_at: datetime
    links: Links


class EvaluationRows(Out):
    """One page of evaluations, newest first."""

    items: list[EvaluationRow]
    total: int = Field(description="how many match")
    counts: dict[Status, int] = Field(description="how many match all but the status, by status")
    next: str | None = Field(description="path of the next page; null on the last")
    next_cursor: str | None


class CancelIn(BaseModel):
    """Why an evaluation is to stop."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "its worker hangs"}]}
    )
    reason: Reason = Field(description="kept in the event log")
