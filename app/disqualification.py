"""What does not count: a submission, or all of somebody's in a competition, until an organiser reinstates it.

Nothing else is touched: bundle, evaluations, scores and quota stay, so that reinstating brings back exactly what was.
Readers of boards ask `counts`.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from app import entrants
from app.errors import Disqualified
from app.models import Competition, Disqualification, Submission, TeamMember

IN_FORCE = Disqualification.lifted_at.is_(None)


def counts() -> ColumnElement[bool]:
    """Return what holds for submissions that count: neither they nor their entrant are disqualified."""
    return ~exists().where(IN_FORCE, concerns())


def concerns() -> ColumnElement[bool]:
    """Return what joins a disqualification to the submissions that it takes out.

    Who is in a team takes the team's out with them: its members are one entrant.
    """
    team = select(TeamMember.user_id).where(TeamMember.team_id == Submission.team_id)
    return or_(
        Disqualification.submission_id == Submission.id,
        and_(
            Disqualification.competition_id == Submission.competition_id,
            or_(
                Disqualification.user_id == Submission.user_id,
                Disqualification.user_id.in_(team.correlate(Submission)),
            ),
        ),
    )


def of_submission(session: Session, submission: Submission) -> Disqualification | None:
    """Return why a submission does not count: what was said of itself before what was said of its entrant."""
    query = select(Disqualification).join(Submission, concerns()).where(Submission.id == submission.id)
    in_force = query.where(IN_FORCE).order_by(Disqualification.submission_id.is_(None))
    return session.scalar(in_force.limit(1))


def among(session: Session, submission_ids: Collection[str]) -> set[str]:
    """Return those of some submissions that do not count."""
    query = select(Submission.id).where(Submission.id.in_(submission_ids), ~counts())
    return set(session.scalars(query))


def of_entrant(session: Session, competition_id: str, user_id: str) -> Disqualification | None:
    """Return why somebody does not count in a competition: they, or somebody of their team."""
    in_force = select(Disqualification).where(IN_FORCE, *is_of(competition_id, user_id))
    return session.scalar(in_force.order_by(Disqualification.created_at).limit(1))


def everybody_out(session: Session) -> set[tuple[str, str]]:
    """Return (competition's id, person's id) of all who do not count there."""
    theirs, mates = aliased(TeamMember), aliased(TeamMember)
    themselves = select(Disqualification.competition_id, Disqualification.user_id).where(
        IN_FORCE, Disqualification.user_id.is_not(None)
    )
    with_them = (
        themselves.join(
            theirs,
            and_(
                theirs.user_id == Disqualification.user_id,
                theirs.competition_id == Disqualification.competition_id,
            ),
        )
        .join(mates, mates.team_id == theirs.team_id)
        .with_only_columns(mates.competition_id, mates.user_id)
    )
    found = [*session.execute(themselves), *session.execute(with_them)]
    return {(competition_id, user_id) for competition_id, user_id in found if user_id is not None}


def history(session: Session, competition_id: str, user_id: str) -> Sequence[Disqualification]:
    """Return everything that was decided about an entrant and their submissions in a competition, newest first."""
    theirs = select(Submission.id).where(
        Submission.competition_id == competition_id,
        entrants.is_with(Submission.user_id, user_id, competition_id),
    )
    concerned = or_(and_(*is_of(competition_id, user_id)), Disqualification.submission_id.in_(theirs))
    newest = Disqualification.created_at.desc()
    return session.scalars(select(Disqualification).where(concerned).order_by(newest)).all()


def check(session: Session, competition: Competition, user_id: str) -> None:
    """Raise Disqualified when an entrant may not submit any more."""
    found = of_entrant(session, competition.id, user_id)
    if found is not None:
        raise Disqualified(
            f"You are disqualified from {competition.title}: {found.reason}",
            advice="If you think that this is wrong, write to the organiser.",
        )


def is_of(competition_id: str, user_id: str) -> list[ColumnElement[bool]]:
    """Return what holds for disqualifications of somebody, or of somebody of their team, from a competition."""
    return [
        Disqualification.competition_id == competition_id,
        entrants.is_with(Disqualification.user_id, user_id, competition_id),
    ]
