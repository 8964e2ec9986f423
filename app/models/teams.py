"""People who take part together."""

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base
from app.models.competitions import Competition
from app.models.people import User


class Team(Base):
    """People who take part in one competition together. What they have submitted is the team's."""

    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("competition_id", "name_key"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"))
    name: Mapped[str] = mapped_column(String(40))
    name_key: Mapped[str] = mapped_column(String(160))  # of names that look alike only one is taken
    leader_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    competition: Mapped[Competition] = relationship()
    leader: Mapped[User] = relationship()
    members: Mapped[list["TeamMember"]] = relationship(
        order_by="TeamMember.joined_at, TeamMember.user_id", viewonly=True
    )


class TeamMember(Base):
    """Who is in which team; of a competition's teams a person is in one at most."""

    __tablename__ = "team_members"
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), index=True)
    joined_at: Mapped[datetime]
    user: Mapped[User] = relationship()


class TeamInvitation(Base):
    """A team's open invitation: to a person, or to all of another team. Answering it deletes it."""

    __tablename__ = "team_invitations"
    __table_args__ = (UniqueConstraint("team_id", "user_id"), UniqueConstraint("team_id", "invited_team_id"))
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    invited_team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"), index=True)
    created_at: Mapped[datetime]
    team: Mapped[Team] = relationship(foreign_keys=[team_id])
    user: Mapped[User | None] = relationship()
    invited_team: Mapped[Team | None] = relationship(foreign_keys=[invited_team_id])
