"""What the API speaks of accounts and of who may do what."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.access import Role
from app.schemas.base import Out
from app.schemas.submissions import Links
from app.text import PlainText

Given = Literal["participant", "admin"]
"""What an account can be made; organisers are made by competition."""
State = Literal["open", "used", "revoked", "expired"]
"""What became of an invitation."""


class OrganiserList(Out):
    """Who organises a competition."""

    competition: str = Field(description="slug")
    items: list[str] = Field(
        description="names, in their order; admins, who may do the same, are not among them"
    )


class AccountOut(Out):
    """Your own account."""

    name: str
    role: Role = Field(description="the most that you are")
    organises: list[str] = Field(description="slugs of the competitions that you were made organiser of")
    email: str | None = Field(description="where notices go; nobody has proved that it is yours")
    created_at: datetime


class UserOut(AccountOut):
    """Somebody's account, as admins see it."""

    disabled_at: datetime | None = Field(description="since when they are let in nowhere")
    seen_at: datetime | None = Field(
        description="when a session or token of theirs was last in use, to the hour"
    )
    links: Links


class UserPage(Out):
    """Accounts, newest first."""

    items: list[UserOut]
    next: str | None = Field(description="path of the next page; null on the last one")
    next_cursor: str | None


class UserIn(BaseModel):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"disabled": True}]})
    role: Given | None = None
    disabled: bool | None = Field(
        default=None, description="true ends their sessions and tokens, and lets them in nowhere"
    )


class LinkOut(Out):
    """A link that is good once; its secret cannot be had again."""

    link: str = Field(description="a path alone where the operator has not set LETHE_BASE_URL")
    expires_at: datetime


class InvitationIn(BaseModel):
    """Who is invited to make an account."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"label": "the first row", "days": 30}]}
    )
    role: Given = "participant"
    label: PlainText = Field(default="", max_length=64, description="for whom it is; shown to admins alone")
    email: PlainText = Field(
        default="", max_length=254, description="filled into the form, to be changed there"
    )
    days: int = Field(default=7, ge=1, le=90, description="how long the link is good")


class InvitationOut(Out):
    """An invitation, and what became of it."""

    id: str
    role: Given
    label: str
    email: str | None
    state: State
    made_by: str
    used_by: str | None = Field(description="the name that was chosen")
    created_at: datetime
    expires_at: datetime


class InvitationMade(InvitationOut):
    """A new invitation, and its link, which cannot be had again."""

    link: str = Field(description="a path alone where the operator has not set LETHE_BASE_URL")


class InvitationPage(Out):
    """Invitations, newest first."""

    items: list[InvitationOut]
    next: str | None = Field(description="path of the next page; null on the last one")
    next_cursor: str | None
