"""What admins do, with the reason that they give."""

from datetime import datetime, timedelta

from app import events, registry, submissions
from app.db import UnitOfWork
from app.models import Evaluation, User
from app.queue import Doorbell
from app.status import Lane


def rerun(
    session: UnitOfWork,
    submission_id: str,
    split: str,
    reason: str,
    admin: User,
    now: datetime,
    *,
    queue_due: timedelta,
    bell: Doorbell,
) -> Evaluation:
    """Queue a new evaluation, wake workers, and keep the reason in the event log. Raises as submissions.rerun does."""
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
    device = registry.config_of(evaluation.submission.competition).evaluation.device
    session.after_commit(lambda: bell.ring(device, Lane.LOW))
    return evaluation
