"""Invite a person, or another team as a whole; accept, decline, withdraw."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, Forbidden, NotFound
from app.models import Competition, Team, TeamInvitation, User
from app.teams import common, names
from app.teams.common import Place

MOST_OPEN = 20
"""Open invitations of one team."""
NOT_YOURS = "There is no such invitation, or it is not yours to see: it may have been answered or withdrawn."


def invite(session: Session, slug: str, name: str, actor: User, now: datetime) -> TeamInvitation:
    """Invite a person into the team that the actor leads.

    Raises NotFound, Forbidden, and Conflict when they are in a team, are invited already, or it is too late.
    """
    place = common.enter(session, slug, now, forming=True)
    team = common.led_by(session, place, actor)
    person = session.scalar(select(User).where(User.name == name))
    if person is None:
        raise NotFound(f"There is nobody named {name[:64]!r}.", advice="Check the name: case counts.")
    theirs = common.team_of(session, place, person.id)
    if theirs is not None and theirs.id == team.id:
        raise Conflict(f"{person.name} is in the team already.")
    if theirs is not None:
        raise Conflict(
            f"{person.name} is in the team {theirs.name}.", advice="Ask that team to merge with yours."
        )
    _check_room(session, place, team, 1)
    return _add(session, place, team, actor, now, person=person)


def invite_team(session: Session, slug: str, name: str, actor: User, now: datetime) -> TeamInvitation:
    """Ask another team to merge into the one that the actor leads, which keeps its name and leader.

    Raises NotFound, Forbidden, and Conflict when they are too many together, it is asked already, or too late.
    """
    place = common.enter(session, slug, now, forming=True)
    team = common.led_by(session, place, actor)
    other = session.scalar(
        select(Team).where(Team.competition_id == place.id, Team.name_key == names.key(name.strip()))
    )
    if other is None:
        raise NotFound(f"There is no team named {name[:64]!r} here.", advice="Its name is on the board.")
    if other.id == team.id:
        raise Conflict("That is your own team.")
    _check_room(session, place, team, len(common.people_in(session, other.id)))
    return _add(session, place, team, actor, now, other=other)


def accept(session: Session, invitation_id: str, actor: User, now: datetime) -> Team:
    """Join the team that invites, alone or with all of the team that the actor leads; return the team.

    Raises NotFound, Forbidden unless it is the actor's to answer, and Conflict when they may not be one team.
    """
    place, invitation = _found(session, invitation_id, now, forming=True)
    _check_answers(session, invitation, actor)
    team_id, other = invitation.team_id, invitation.invited_team
    joining = [actor.id] if other is None else list(common.people_in(session, other.id))
    if other is None and common.team_of(session, place, actor.id) is not None:
        raise Conflict("You are in a team of this competition already.", advice="Leave it first, or merge.")
    members = common.people_in(session, team_id)
    common.lock_people(session, [*joining, *members])
    common.lock_teams(session, team_id, *([] if other is None else [other.id]))
    common.check_joined(session, place, {*members, *joining}, now)
    team = session.get_one(Team, team_id)
    session.expunge(invitation)
    common.bring_in(session, place, team, joining, actor, now)
    if other is None:
        common.tell(session, place, "joined", actor, now, team.name)
    else:
        name, other_id = other.name, other.id
        session.expunge(other)
        common.remove(session, other_id)
        common.tell(session, place, "merged", actor, now, f"{name} into {team.name}")
    return team


def decline(session: Session, invitation_id: str, actor: User, now: datetime) -> Competition:
    """Refuse an invitation. Raises NotFound, Forbidden unless it is the actor's to answer, Conflict after the close."""
    place, invitation = _found(session, invitation_id, now, forming=False)
    _check_answers(session, invitation, actor)
    session.delete(invitation)
    common.tell(session, place, "declined", actor, now, invitation.team.name)
    return place.competition


def withdraw(session: Session, invitation_id: str, actor: User, now: datetime) -> Competition:
    """Take an invitation back. Raises NotFound, Forbidden unless the actor leads the team, Conflict after the close."""
    place, invitation = _found(session, invitation_id, now, forming=False)
    mine = common.team_of(session, place, actor.id)
    if mine is None or mine.id != invitation.team_id:
        raise NotFound(NOT_YOURS)
    if mine.leader_id != actor.id:
        raise Forbidden("Only the leader of the team may do this.", advice="Ask the leader.")
    session.delete(invitation)
    common.tell(session, place, "withdrawn", actor, now, f"{mine.name} to {_whom(invitation)}")
    return place.competition


def _found(
    session: Session, invitation_id: str, now: datetime, *, forming: bool
) -> tuple[Place, TeamInvitation]:
    """Lock the competition of an invitation and return both, as they are under the lock. Raises NotFound."""
    slug = session.scalar(
        select(Competition.slug)
        .join(Team, Team.competition_id == Competition.id)
        .join(TeamInvitation, TeamInvitation.team_id == Team.id)
        .where(TeamInvitation.id == invitation_id)
    )
    if slug is None:
        raise NotFound(NOT_YOURS)
    place = common.enter(session, slug, now, forming=forming)
    invitation = session.scalar(select(TeamInvitation).where(TeamInvitation.id == invitation_id))
    if invitation is None:
        raise NotFound(NOT_YOURS)
    return place, invitation


def _check_answers(session: Session, invitation: TeamInvitation, actor: User) -> None:
    """Raise unless an invitation is to the actor, or to the team that they lead."""
    if invitation.user_id == actor.id:
        return
    other = invitation.invited_team
    if other is None or actor.id not in common.people_in(session, other.id):
        raise NotFound(NOT_YOURS)
    if other.leader_id != actor.id:
        raise Forbidden("Only the leader of the team may answer.", advice="Ask the leader.")


def _check_room(session: Session, place: Place, team: Team, more: int) -> None:
    members, most = common.people_in(session, team.id), place.config.teams.max_size
    if len(members) + more > most:
        raise Conflict(f"The team would have {len(members) + more} people; at most {most} are allowed here.")


def _add(
    session: Session,
    place: Place,
    team: Team,
    actor: User,
    now: datetime,
    *,
    person: User | None = None,
    other: Team | None = None,
) -> TeamInvitation:
    if _is_asked(session, team, person, other):
        raise Conflict("They are invited already.", advice="Wait for their answer, or withdraw it.")
    open_ones = select(func.count(TeamInvitation.id)).where(TeamInvitation.team_id == team.id)
    if (session.scalar(open_ones) or 0) >= MOST_OPEN:
        raise Conflict(f"The team has {MOST_OPEN} open invitations.", advice="Withdraw one first.")
    invitation = TeamInvitation(
        id=uuid4().hex, team_id=team.id, user=person, invited_team=other, created_at=now
    )
    session.add(invitation)
    session.flush()
    common.tell(session, place, "invited", actor, now, f"{team.name}: {_whom(invitation)}")
    return invitation


def _is_asked(session: Session, team: Team, person: User | None, other: Team | None) -> bool:
    found: Sequence[TeamInvitation] = session.scalars(
        select(TeamInvitation).where(TeamInvitation.team_id == team.id)
    ).all()
    return any(
        (person is not None and one.user_id == person.id)
        or (other is not None and one.invited_team_id == other.id)
        for one in found
    )


def _whom(invitation: TeamInvitation) -> str:
    if invitation.invited_team is not None:
        return f"the team {invitation.invited_team.name}"
    assert invitation.user is not None, "an invitation is to a person or a team"
    return invitation.user.name
