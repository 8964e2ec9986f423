"""What the API speaks about a person's notices."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.base import Out
from app.text import PlainText


class WebhookOut(Out):
    """Where notices go over HTTP."""

    url: str
    created_at: datetime


class NewWebhookOut(WebhookOut):
    """A webhook that was just set."""

    secret: str = Field(description="signs what is sent; shown only now")


class NoticeOut(Out):
    """One thing that was told, or is still to be."""

    id: str = Field(description="sent in the header Lethe-Notice: the same id may arrive twice")
    kind: str = Field(description="evaluation.done, competition.revealed or test")
    channel: Literal["mail", "webhook"]
    state: Literal["waiting", "delivered", "given_up"]
    submission_id: str | None = Field(description="whose evaluation has ended")
    competition: str | None = Field(description="the slug of the competition whose results were revealed")
    created_at: datetime
    attempts: int
    tried_at: datetime | None
    next_at: datetime | None = Field(description="when it is tried next")
    outcome: str = Field(description="of the last try, in words")


class NoticesOut(Out):
    """What one is told, and how."""

    email: str | None = Field(description="where letters go")
    letters: bool = Field(description="whether they do")
    webhook: WebhookOut | None
    items: list[NoticeOut] = Field(description="the last ones, newest first")


class NoticesIn(BaseModel):
    """Whether letters are wanted."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"letters": True}]})
    letters: bool


class WebhookIn(BaseModel):
    """A receiver of notices."""

    model_config = ConfigDict(extra="forbid")
    url: PlainText = Field(max_length=500, examples=["https://example.org/lethe"])
