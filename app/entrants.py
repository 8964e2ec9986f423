"""Entrants: who takes part in a competition, a person or, where they belong to one, their team.

Quota, turns and places on the board are an entrant's. A submission belongs to its team for ever, else to the person.

Lock order, wherever entrants are concerned: the competition, then people in the order of their ids, then teams in the
order of theirs. Teams change under all three locks; who submits takes their own and then their team's, in which their
membership cannot change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, CompoundSelect, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app import registry
from app.errors import NotFound
from app.models import Competition, Submission, Team, TeamMember, User

Kind = Literal["person", "team"]
whose: ColumnElement[str] = func.coalesce(Submission.team_id, Submission.user_id)
"""Whose a submission is, in SQL."""


@dataclass(frozen=True)
class Entrant:
    """A person or a team in one competition."""

    kind: Kind
    id: str
    name: str

    @property
    def team_id(self) -> str | None:
        """What a submission of theirs carries."""
        return self.id if self.kind == "team" else None


def id_of(submission: Submission) -> str:
    """Return whose a submission is."""
    return submission.team_id or submission.user_id


def find(session: Session, slug: str, name: str) -> tuple[Competition, User]:
    """Return a competition and somebody who takes part or may. Raises NotFound."""
    competition = registry.get_competition(session, slug)
    user = session.scalar(select(User).where(User.name == name))
    if user is None:
        raise NotFound(f"There is nobody called {name[:64]!r}.")
    return competition, user


def of(session: Session, user_id: str, competition_id: str) -> Entrant:
    """Return as whom a person takes part in a competition."""
    team = session.execute(
        select(Team.id, Team.name)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .where(TeamMember.user_id == user_id, TeamMember.competition_id == competition_id)
    ).one_or_none()
    if team is not None:
        return Entrant("team", team.id, team.name)
    return Entrant("person", user_id, session.scalars(select(User.name).where(User.id == user_id)).one())


def lock(session: Session, user_id: str, competition_id: str) -> Entrant:
    """Return as whom a person takes part, and let one transaction at a time act for that entrant until it ends."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    entrant = of(session, user_id, competition_id)
    if entrant.kind == "team":
        session.execute(select(Team.id).where(Team.id == entrant.id).with_for_update(key_share=True))
    return entrant


def is_with(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], user_id: str, competition_id: str
) -> ColumnElement[bool]:
    """Return whether a column holds the id of the person or of a member of their team, in SQL."""
    team = select(TeamMember.team_id).where(
        TeamMember.user_id == user_id, TeamMember.competition_id == competition_id
    )
    mates = select(TeamMember.user_id).where(TeamMember.team_id == team.scalar_subquery())
    return or_(column == user_id, column.in_(mates))


def people_of(session: Session, submission: Submission) -> Sequence[str]:
    """Return the ids of those whose a submission is."""
    if submission.team_id is None:
        return [submission.user_id]
    members = select(TeamMember.user_id).where(TeamMember.team_id == submission.team_id)
    return session.scalars(members.order_by(TeamMember.user_id)).all()


def people_in(competition_id: str) -> CompoundSelect[tuple[str]]:
    """Ask for the ids of all who have submitted in a competition, by themselves or in a team."""
    sent = select(Submission).where(Submission.competition_id == competition_id).subquery()
    mates = select(TeamMember.user_id).where(TeamMember.team_id.in_(select(sent.c.team_id)))
    return select(sent.c.user_id).where(sent.c.team_id.is_(None)).union(mates)


def members(session: Session, competition_id: str) -> dict[str, list[str]]:
    """Return the names of every team's members by the team's id, in the order in which they joined."""
    query = (
        select(TeamMember.team_id, User.name)
        .join(User, User.id == TeamMember.user_id)
        .where(TeamMember.competition_id == competition_id)
        .order_by(TeamMember.joined_at, User.name)
    )
    found: dict[str, list[str]] = {}
    for team_id, name in session.execute(query):
        found.setdefault(team_id, []).append(name)
    return found
