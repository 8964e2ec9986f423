"""What admins do, with the reason that they give."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app import events, submissions
from app.models import Evaluation, User


def rerun(
    session: Session,
    submission_id: str,
    split: str,
    reason: str,
    admin: User,
    now: datetime,
    *,
    queue_due: timedelta,
) -> Evaluation:
    """Queue a new evaluation and keep the reason in the event log. Raises as submissions.rerun does."""
    evaluation = submissions.rerun(session, submission_id, split, admin, now, queue_due=queue_due)
    events.write(
        session,
        "evaluation.rerun_asked",
        admin.name,
        now,
        submission_id=submission_id,
        evaluation_id=evaluation.id,
        detail=reason,
    )
    return evaluation
