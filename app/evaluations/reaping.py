"""The reaper: what workers left behind goes back to the queue, what nobody took up ends as stalled."""

from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from app.evaluations.ending import end
from app.evaluations.locks import lock
from app.evaluations.runs import requeue
from app.models import Evaluation, Run
from app.status import RunStatus, Status, Verdict

ACTOR = "reaper"


def reap(session: Session, now: datetime, queue_due: timedelta) -> int:
    """Give expired leases back and end what is overdue; return how many runs and evaluations that touched.

    Scoring past its due time is for `scoring_claim` to take up; it ends here only when no worker has done so
    within `queue_due`.
    """
    return _reap_leases(session, now) + _reap_overdue(session, now, queue_due)


def _reap_leases(session: Session, now: datetime) -> int:
    expired = select(Run).where(Run.status == RunStatus.RUNNING, Run.lease_until <= now)
    ids = {run.evaluation_id for run in session.scalars(expired)}
    count = 0
    for evaluation in lock(session, ids, skip_locked=True):
        mine = expired.where(Run.evaluation_id == evaluation.id).order_by(Run.id)
        for run in session.scalars(mine.execution_options(populate_existing=True)).all():
            guard = update(Run).where(
                Run.id == run.id,
                Run.status == RunStatus.RUNNING,
                Run.fence == run.fence,
                Run.lease_until <= now,
            )
            count += requeue(session, evaluation, run.id, guard, "worker_lost", ACTOR, now, loss=1)
    return count


def _reap_overdue(session: Session, now: datetime, queue_due: timedelta) -> int:
    waiting = and_(Evaluation.status.in_((Status.QUEUED, Status.RUNNING)), Evaluation.due_at <= now)
    unscored = and_(Evaluation.status == Status.SCORING, Evaluation.due_at <= now - queue_due)
    overdue = select(Evaluation.id).where(or_(waiting, unscored))
    locked = lock(session, session.scalars(overdue), skip_locked=True)
    still = set(session.scalars(overdue))
    return sum(
        end(session, evaluation, Verdict.STALLED, "overdue", ACTOR, now)
        for evaluation in locked
        if evaluation.id in still
    )
