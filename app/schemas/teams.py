"""What the API speaks about teams."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.base import Out
from app.schemas.submissions import Links
from app.text import PlainText


class MemberOut(Out):
    """Somebody in a team."""

    name: str
    leader: bool
    joined_at: datetime
    submissions: int = Field(description="sent by them, before they joined or after")


class TeamInvitationOut(Out):
    """An open invitation into a team: of a person, or of another team as a whole."""

    id: str
    team: str = Field(description="the team that invites, and that keeps its name and leader")
    members: list[str] = Field(description="who is in it now")
    kind: Literal["person", "team"] = Field(description="who is invited")
    invited: str = Field(description="the name of that person or team")
    created_at: datetime
    may_answer: bool = Field(description="whether you may accept or decline it")


class TeamOut(Out):
    """A team, as its members see it."""

    id: str
    name: str
    leader: str
    members: list[MemberOut]
    submissions: int
    may_lead: bool = Field(description="whether you may rename it, hand it over, invite and withdraw")
    may_leave: bool = Field(
        description="nobody leaves a team that has submissions, unless it is theirs alone"
    )
    invitations: list[TeamInvitationOut] = Field(description="sent and not answered yet")


class TeamPageOut(Out):
    """As whom you take part in a competition, and what you may do about it."""

    competition: str = Field(description="slug")
    max_size: int = Field(description="people in a team; 1 allows no teams")
    forms_until: datetime = Field(description="until when teams form, take people in and merge")
    forming: bool = Field(description="whether they do now")
    team: TeamOut | None = Field(description="null while you take part alone")
    invitations: list[TeamInvitationOut] = Field(description="to you, or to your team")
    links: Links


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TeamIn(_In):
    """A team's name."""

    name: PlainText = Field(
        max_length=200,
        description="1 to 40 characters, each word in one script; unlike other teams' and accounts' names",
        examples=["The sieve"],
    )


class LeaderIn(_In):
    """Who is to lead the team."""

    name: PlainText = Field(max_length=200, description="a member's name", examples=["grace"])


class InviteIn(_In):
    """Whom to invite: a person, or a team to merge into yours."""

    kind: Literal["person", "team"] = "person"
    name: PlainText = Field(max_length=200, examples=["grace"])
