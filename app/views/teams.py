"""What pages and API show of a team to its members and to whom it invites."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app import registry
from app.models import Competition, Submission, Team, TeamInvitation, TeamMember, User
from app.schemas.submissions import Links
from app.schemas.teams import MemberOut, TeamInvitationOut, TeamOut, TeamPageOut

_INVITED = (
    joinedload(TeamInvitation.team).selectinload(Team.members).joinedload(TeamMember.user),
    joinedload(TeamInvitation.user),
    joinedload(TeamInvitation.invited_team),
)


def describe(session: Session, slug: str, viewer: User, now: datetime) -> TeamPageOut:
    """Return the viewer's team in a competition, and the invitations that are theirs to see. Raises NotFound."""
    competition = registry.get_competition(session, slug)
    config = registry.config_of(competition)
    team = session.scalar(
        select(Team)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .where(TeamMember.competition_id == competition.id, TeamMember.user_id == viewer.id)
        .options(selectinload(Team.members).joinedload(TeamMember.user))
        .execution_options(populate_existing=True)
    )
    path = f"/competitions/{slug}/team"
    return TeamPageOut(
        competition=slug,
        max_size=config.teams.max_size,
        forms_until=config.teams_until,
        forming=config.teams.max_size > 1 and now < config.teams_until,
        team=None if team is None else _team(session, team, viewer, is_open=now < competition.closes_at),
        invitations=_received(session, competition, team, viewer),
        links=Links(self=f"/api/v1{path}", html=path),
    )


def _team(session: Session, team: Team, viewer: User, *, is_open: bool) -> TeamOut:
    sent = dict(
        session.execute(
            select(Submission.user_id, func.count(Submission.id))
            .where(Submission.team_id == team.id)
            .group_by(Submission.user_id)
        ).all()
    )
    members = [
        MemberOut(
            name=one.user.name,
            leader=one.user_id == team.leader_id,
            joined_at=one.joined_at,
            submissions=sent.get(one.user_id, 0),
        )
        for one in team.members
    ]
    return TeamOut(
        id=team.id,
        name=team.name,
        leader=next(one.name for one in members if one.leader),
        members=members,
        submissions=sum(sent.values()),
        may_lead=is_open and viewer.id == team.leader_id,
        may_leave=is_open and (len(members) == 1 or not sent),
        invitations=[_invitation(one, viewer) for one in _of(session, TeamInvitation.team_id == team.id)],
    )


def _received(
    session: Session, competition: Competition, team: Team | None, viewer: User
) -> list[TeamInvitationOut]:
    here = select(Team.id).where(Team.competition_id == competition.id)
    mine = TeamInvitation.user_id == viewer.id
    asked = mine if team is None else or_(mine, TeamInvitation.invited_team_id == team.id)
    return [_invitation(one, viewer) for one in _of(session, asked, TeamInvitation.team_id.in_(here))]


def _of(session: Session, *conditions: ColumnElement[bool]) -> Sequence[TeamInvitation]:
    query = select(TeamInvitation).where(*conditions).options(*_INVITED)
    return session.scalars(query.order_by(TeamInvitation.created_at, TeamInvitation.id)).all()


def _invitation(one: TeamInvitation, viewer: User) -> TeamInvitationOut:
    other, person = one.invited_team, one.user
    return TeamInvitationOut(
        id=one.id,
        team=one.team.name,
        members=[member.user.name for member in one.team.members],
        kind="person" if other is None else "team",
        invited=other.name if other is not None else person.name if person is not None else "",
        created_at=one.created_at,
        may_answer=viewer.id == (one.user_id if other is None else other.leader_id),
    )


def waiting(session: Session, viewer: User) -> list[tuple[str, str, str]]:
    """Return the invitations that the viewer may answer, as competition's slug, its title, and the team's name."""
    led = select(Team.id).where(Team.leader_id == viewer.id)
    query = (
        select(Competition.slug, Competition.title, Team.name)
        .join(Team, Team.competition_id == Competition.id)
        .join(TeamInvitation, TeamInvitation.team_id == Team.id)
        .where(or_(TeamInvitation.user_id == viewer.id, TeamInvitation.invited_team_id.in_(led)))
        .order_by(TeamInvitation.created_at)
    )
    return [(slug, title, name) for slug, title, name in session.execute(query)]
