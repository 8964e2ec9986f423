"""Create a team, rename it, hand it over, leave it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import Conflict, NotFound
from app.models import Submission, Team, TeamMember, User
from app.teams import common, names


def create(session: Session, slug: str, name: str, actor: User, now: datetime) -> Team:
    """Make a team of one, its leader, who brings what they have submitted.

    Raises NotFound, BadRequest for a bad name, and Conflict when it is taken, when the actor is in a team already, or
    too late.
    """
    shown = names.cleaned(name)
    place = common.enter(session, slug, now, forming=True)
    common.lock_people(session, [actor.id])
    if common.team_of(session, place, actor.id) is not None:
        raise Conflict("You are in a team of this competition already.", advice="Leave it first.")
    common.check_joined(session, place, [actor.id], now)
    _check_free(session, shown, [actor.id])
    team = Team(
        id=uuid4().hex,
        competition_id=place.id,
        name=shown,
        name_key=names.key(shown),
        leader_id=actor.id,
        created_at=now,
    )
    with _taken(shown), session.begin_nested():
        session.add(team)
    common.bring_in(session, place, team, [actor.id], actor, now)
    common.tell(session, place, "created", actor, now, shown)
    return team


def rename(session: Session, slug: str, name: str, actor: User, now: datetime) -> Team:
    """Give the team that the actor leads another name. Raises NotFound, Forbidden, BadRequest or Conflict."""
    shown = names.cleaned(name)
    place = common.enter(session, slug, now, forming=False)
    team = common.led_by(session, place, actor)
    _check_free(session, shown, common.people_in(session, team.id))
    old = team.name
    with _taken(shown), session.begin_nested():
        team.name, team.name_key = shown, names.key(shown)
    common.tell(session, place, "renamed", actor, now, f"{old} is {shown}")
    return team


def hand_over(session: Session, slug: str, name: str, actor: User, now: datetime) -> Team:
    """Let another member lead the team that the actor leads. Raises NotFound, Forbidden or Conflict."""
    place = common.enter(session, slug, now, forming=False)
    team = common.led_by(session, place, actor)
    members = User.id.in_(common.people_in(session, team.id))
    chosen = session.scalar(select(User).where(members, User.name == name))
    if chosen is None:
        raise NotFound(
            f"There is nobody named {name[:64]!r} in the team.", advice="Check the name: case counts."
        )
    if chosen.id == actor.id:
        raise Conflict("You lead the team already.", advice="Name another member.")
    team.leader_id = chosen.id
    common.tell(session, place, "handed_over", actor, now, f"{team.name} is led by {chosen.name}")
    return team


def leave(session: Session, slug: str, actor: User, now: datetime) -> None:
    """Leave a team that has no submissions, or dissolve one that is the actor's alone; whoever joined first leads on.

    Raises NotFound when they are in no team, and Conflict while the team has submissions.
    """
    place = common.enter(session, slug, now, forming=False)
    common.lock_people(session, [actor.id])
    team = common.team_of(session, place, actor.id)
    if team is None:
        raise NotFound("You are in no team of this competition.")
    common.lock_teams(session, team.id)
    others = [one for one in common.people_in(session, team.id) if one != actor.id]
    if others and common.has_submissions(session, team.id):
        raise Conflict(
            "The team has submissions, which are all its members': nobody leaves it any more.",
            advice="Stay, or ask the organiser.",
        )
    session.execute(
        delete(TeamMember).where(TeamMember.competition_id == place.id, TeamMember.user_id == actor.id)
    )
    if not others:
        _dissolve(session, team)
        common.tell(session, place, "dissolved", actor, now, team.name)
        return
    if team.leader_id == actor.id:
        team.leader_id = others[0]
    common.tell(session, place, "left", actor, now, team.name)


def _dissolve(session: Session, team: Team) -> None:
    """Give its submissions back to the one person who was in it."""
    session.flush()
    alone = update(Submission).where(Submission.team_id == team.id).values(team_id=None)
    session.execute(alone.execution_options(synchronize_session=False))
    session.expunge(team)
    common.remove(session, team.id)


def _check_free(session: Session, shown: str, members: Collection[str]) -> None:
    """Raise Conflict for the name of an account that is not a member's: a board must not show one for the other."""
    owner = select(User.id).where(User.name_key == names.key(shown))
    if any(one not in members for one in session.scalars(owner)):
        raise Conflict(f"{shown} is the name of an account.", advice="Choose another name.")


@contextmanager
def _taken(shown: str) -> Iterator[None]:
    """Say in words that the database refuses a second team of that name."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(f"There is a team named {shown} already.", advice="Choose another name.") from error
