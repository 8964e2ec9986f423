"""What all changes of teams share: locks, guards, and how a change is told."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app import disqualification, events, quota, registry
from app.competitions import CompetitionConfig
from app.errors import Conflict, Forbidden, NotFound
from app.models import Competition, FinalEntry, Submission, Team, TeamInvitation, TeamMember, User


@dataclass(frozen=True)
class Place:
    """A competition whose teams this transaction alone changes."""

    competition: Competition
    config: CompetitionConfig

    @property
    def id(self) -> str:
        """The competition's."""
        return self.competition.id


def enter(session: Session, slug: str, now: datetime, *, forming: bool) -> Place:
    """Lock a competition for a change of its teams; `forming` is one that adds people to a team.

    Raises NotFound, and Conflict when it is too late for such a change.
    """
    session.execute(select(Competition.id).where(Competition.slug == slug).with_for_update(key_share=True))
    competition = registry.get_competition(session, slug)
    config = registry.config_of(competition)
    if now >= competition.closes_at:
        raise Conflict(f"{competition.title} has closed: its teams stay as they are.")
    if forming and config.teams.max_size == 1:
        raise Conflict(f"{competition.title} has no teams: everybody takes part alone.")
    if forming and now >= config.teams_until:
        raise Conflict(
            f"Teams could form and merge until {config.teams_until:%Y-%m-%d %H:%M} UTC.",
            advice="Teams stay as they are now.",
        )
    return Place(competition, config)


def lock_people(session: Session, ids: Iterable[str]) -> None:
    """Lock people in the order of their ids: nobody of them submits meanwhile."""
    wanted = select(User.id).where(User.id.in_(set(ids))).order_by(User.id)
    session.execute(wanted.with_for_update(key_share=True))


def lock_teams(session: Session, *ids: str) -> None:
    """Lock teams in the order of their ids."""
    wanted = select(Team.id).where(Team.id.in_(ids)).order_by(Team.id)
    session.execute(wanted.with_for_update(key_share=True))


def team_of(session: Session, place: Place, user_id: str) -> Team | None:
    """Return somebody's team."""
    mine = select(TeamMember.team_id).where(
        TeamMember.user_id == user_id, TeamMember.competition_id == place.id
    )
    found = select(Team).where(Team.id == mine.scalar_subquery())
    return session.scalar(found.execution_options(populate_existing=True))


def led_by(session: Session, place: Place, actor: User) -> Team:
    """Return the team that somebody leads. Raises NotFound when they are in none, Forbidden when another leads it."""
    team = team_of(session, place, actor.id)
    if team is None:
        raise NotFound("You are in no team of this competition.", advice="Create one first.")
    if team.leader_id != actor.id:
        raise Forbidden("Only the leader of the team may do this.", advice="Ask the leader.")
    return team


def people_in(session: Session, team_id: str) -> Sequence[str]:
    """Return the ids of a team's members, in the order in which they joined."""
    query = select(TeamMember.user_id).where(TeamMember.team_id == team_id)
    return session.scalars(query.order_by(TeamMember.joined_at, TeamMember.user_id)).all()


def check_joined(session: Session, place: Place, people: Collection[str], now: datetime) -> None:
    """Raise Conflict unless these may be one team: not too many, nobody disqualified, and not too much submitted."""
    most = place.config.teams.max_size
    if len(people) > most:
        raise Conflict(f"The team would have {len(people)} people; at most {most} are allowed here.")
    if any(disqualification.of_entrant(session, place.id, one) is not None for one in people):
        raise Conflict("Somebody of them is disqualified from the competition.")
    spent, allowed = quota.so_far(session, people, place.competition, place.config, now)
    if spent > allowed:
        raise Conflict(
            f"Together you have made {spent} submissions; one team could have made {allowed} by today.",
            advice="Each day that passes allows more: try again later.",
        )


def bring_in(
    session: Session, place: Place, team: Team, people: Collection[str], actor: User, now: datetime
) -> None:
    """Make people members of a team, locked like them, and all that they have submitted the team's.

    Where more final entries are chosen together than one entrant may have, those of who joins are given up.
    """
    session.execute(
        delete(TeamMember).where(TeamMember.competition_id == place.id, TeamMember.user_id.in_(people))
    )
    for one in people:
        row = TeamMember(competition_id=place.id, user_id=one, team_id=team.id, joined_at=now)
        session.add(row)
    session.flush()
    theirs = Submission.competition_id == place.id, Submission.user_id.in_(people)
    in_order = select(Submission.id).where(*theirs).order_by(Submission.id)  # as whoever else locks several
    session.execute(in_order.with_for_update(key_share=True))
    joined = update(Submission).where(*theirs).values(team_id=team.id)
    session.execute(joined.execution_options(synchronize_session=False))
    _give_up_choices(session, place, team, people, actor, now)
    here = select(Team.id).where(Team.competition_id == place.id)
    session.execute(
        delete(TeamInvitation).where(TeamInvitation.user_id.in_(people), TeamInvitation.team_id.in_(here))
    )


def _give_up_choices(
    session: Session, place: Place, team: Team, people: Collection[str], actor: User, now: datetime
) -> None:
    chosen = session.execute(
        select(FinalEntry, Submission.user_id)
        .join(Submission, Submission.id == FinalEntry.submission_id)
        .where(Submission.team_id == team.id)
    ).all()
    if len(chosen) <= place.config.final_entries:
        return
    for entry, user_id in chosen:
        if user_id in people:
            session.delete(entry)
            events.write(session, "final.dropped", actor.name, now, submission_id=entry.submission_id)


def remove(session: Session, team_id: str) -> None:
    """Delete a team that has neither members nor submissions any more, with its invitations."""
    asked = (TeamInvitation.team_id == team_id) | (TeamInvitation.invited_team_id == team_id)
    session.execute(delete(TeamInvitation).where(asked))
    session.execute(delete(Team).where(Team.id == team_id))


def has_submissions(session: Session, team_id: str) -> bool:
    """Return whether anything was submitted by, or brought into, a team."""
    return bool(session.scalar(select(func.count(Submission.id)).where(Submission.team_id == team_id)))


def tell(session: Session, place: Place, kind: str, actor: User, now: datetime, detail: str) -> None:
    """Write the event of a change, and have boards and submissions drawn anew."""
    counted = update(Competition).where(Competition.id == place.id)
    session.execute(
        counted.values(team_changes=Competition.team_changes + 1).execution_options(synchronize_session=False)
    )
    events.write(session, f"team.{kind}", actor.name, now, detail=f"{place.competition.slug}: {detail}")


def name_of(session: Session, user_id: str) -> str:
    """Return a person's name."""
    return session.scalars(select(User.name).where(User.id == user_id)).one()
