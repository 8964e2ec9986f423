"""What organisers and admins do, with the reason that they give."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app import access, calibrations, evaluations, events, registry, submissions
from app.db import UnitOfWork
from app.errors import Conflict, NotFound
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


def cancel(
    session: Session, evaluation_ids: Collection[str], reason: str, actor: User, now: datetime
) -> list[Evaluation]:
    """Stop evaluations, and keep the reason in the event log; return those that the cancel reached.

    Raises NotFound unless the actor organises the competitions of all, and Conflict when there is nothing to stop.
    """
    found = evaluations.lock(session, evaluation_ids)
    ours = [one for one in found if access.organises(actor, one.submission.competition.slug)]
    if not ours or len(ours) != len(set(evaluation_ids)):
        raise NotFound("There is no such evaluation, or it is not yours to stop.")
    reached = [one for one in ours if evaluations.cancel(session, one, actor.name, now)]
    if not reached:
        raise Conflict("It has ended already: there is nothing to cancel.")
    for one in reached:
        events.write(
            session,
            "evaluation.cancel_asked",
            actor.name,
            now,
            submission_id=one.submission_id,
            evaluation_id=one.id,
            detail=reason,
        )
    return reached


def remeasure(session: Session, calibration_id: str, actor: User, now: datetime) -> Calibration:
    """Have a device measured again. Raises NotFound unless the actor organises the calibration's competition."""
    found = session.get(Calibration, calibration_id)
    if found is None or not access.organises(actor, found.reference.competition.slug):
        raise NotFound("There is no such calibration, or its competition is not yours.")
    return calibrations.mark_stale(session, calibration_id, actor.name, now)
