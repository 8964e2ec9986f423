"""Disqualifying and reinstating, each by an organiser of the competition or an admin, and with a reason."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from app import access, events, submissions
from app.disqualification import IN_FORCE, is_of, of_entrant
from app.errors import Conflict, Forbidden
from app.evaluations.locks import changed
from app.models import Competition, Disqualification, Submission, User


def disqualify_submission(
    session: Session, submission_id: str, reason: str, actor: User, now: datetime
) -> Disqualification:
    """Take a submission out of everything that ranks. Raises NotFound or Forbidden, and Conflict when it is out already."""
    submission = _theirs(session, submission_id, actor)
    _lock(session, submission.competition_id)
    if session.scalar(select(exists().where(IN_FORCE, Disqualification.submission_id == submission.id))):
        raise Conflict("It is disqualified already.", advice="Reinstate it first to give another reason.")
    row = _row(submission.competition_id, reason, actor, now)
    row.submission_id = submission.id
    session.add(row)
    events.write(
        session, "submission.disqualified", actor.name, now, submission_id=submission.id, detail=reason
    )
    session.flush()
    return row


def disqualify_entrant(
    session: Session, competition: Competition, user: User, reason: str, actor: User, now: datetime
) -> Disqualification:
    """Take all submissions of an entrant to a competition out, later ones too. Raises Conflict when they are out."""
    _lock(session, competition.id)
    if of_entrant(session, competition.id, user.id) is not None:
        raise Conflict(
            f"{user.name} is disqualified already.", advice="Reinstate them first to give another reason."
        )
    row = _row(competition.id, reason, actor, now)
    row.user_id = user.id
    session.add(row)
    detail = f"{competition.slug}, {user.name}: {reason}"
    events.write(session, "entrant.disqualified", actor.name, now, detail=detail)
    session.flush()
    return row


def reinstate_submission(
    session: Session, submission_id: str, reason: str, actor: User, now: datetime
) -> None:
    """Let a submission count again. Raises NotFound or Forbidden, and Conflict when it was not disqualified by itself."""
    submission = _theirs(session, submission_id, actor)
    if not _lift(session, [Disqualification.submission_id == submission.id], reason, actor, now):
        raise Conflict("The submission is not disqualified: there is nothing to reinstate.")
    events.write(
        session, "submission.reinstated", actor.name, now, submission_id=submission.id, detail=reason
    )


def reinstate_entrant(
    session: Session, competition: Competition, user: User, reason: str, actor: User, now: datetime
) -> None:
    """Let an entrant's submissions count again, but for those disqualified by themselves. Raises Conflict."""
    if not _lift(session, is_of(competition.id, user.id), reason, actor, now):
        raise Conflict(f"{user.name} is not disqualified: there is nothing to reinstate.")
    detail = f"{competition.slug}, {user.name}: {reason}"
    events.write(session, "entrant.reinstated", actor.name, now, detail=detail)


def _theirs(session: Session, submission_id: str, actor: User) -> Submission:
    """Return a submission to a competition that somebody organises. Raises NotFound, and Forbidden when it is their own elsewhere."""
    submission = submissions.get(session, submission_id, actor)
    if not access.organises(actor, submission.competition.slug):
        raise Forbidden("Only an organiser decides whether a submission counts.")
    return submission


def _lock(session: Session, competition_id: str) -> None:
    """Let one decision at a time be made in a competition, so that whoever comes second hears that it was made."""
    session.execute(
        select(Competition.id).where(Competition.id == competition_id).with_for_update(key_share=True)
    )


def _row(competition_id: str, reason: str, actor: User, now: datetime) -> Disqualification:
    return Disqualification(
        id=uuid4().hex, competition_id=competition_id, reason=reason, actor=actor.name, created_at=now
    )


def _lift(
    session: Session, which: list[ColumnElement[bool]], reason: str, actor: User, now: datetime
) -> bool:
    lifted = update(Disqualification).where(IN_FORCE, *which)
    values = lifted.values(lifted_at=now, lifted_by=actor.name, lifted_reason=reason)
    return changed(session, values) > 0
