"""What organisers and admins do, with the reason that they give."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app import access, calibrations, events, registry, submissions
from app.db import UnitOfWork
from app.errors import NotFound
from app.models import Calibration, Evaluation, User
from app.queue import Doorbell
from app.status import Lane


def rerun(
    session: UnitOfWork,
    submission_id: str,
    split: str,
    reason: str,
    actor: User,
    now: datetime,
    *,
    queue_due: timedelta,
    bell: Doorbell,
) -> Evaluation:
    """Queue a new evaluation, wake workers, and keep the reason in the event log. Raises as submissions.rerun does."""
    evaluation = submissions.rerun(session, submission_id, split, actor, now, queue_due=queue_due)
    events.write(
        session,
        "evaluation.rerun_asked",
        actor.name,
        now,
        submission_id=submission_id,
        evaluation_id=evaluation.id,
        detail=reason,
    )
    device = registry.config_of(evaluation.submission.competition).evaluation.device
    session.after_commit(lambda: bell.ring(device, Lane.LOW))
    return evaluation


def remeasure(session: Session, calibration_id: str, actor: User, now: datetime) -> Calibration:
    """Have a device measured again. Raises NotFound unless the actor organises the calibration's competition."""
    found = session.get(Calibration, calibration_id)
    if found is None or not access.organises(actor, found.reference.competition.slug):
        raise NotFound("There is no such calibration, or its competition is not yours.")
    return calibrations.mark_stale(session, calibration_id, actor.name, now)
