"""What admins see of workers: who lives, what waits, what is lent."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, load_only

from app import workers
from app.models import Competition, Evaluation, Run, Submission, Worker
from app.schemas.operations import LeaseOut, QueueOut, WorkerList, WorkerOut
from app.settings import Settings
from app.status import Lane, RunStatus


def listing(session: Session, settings: Settings, now: datetime) -> WorkerList:
    """Return workers by name, the queue's depth, and running runs, those whose lease ends first first."""
    after = workers.lost_after(settings)
    rows = session.scalars(select(Worker).order_by(Worker.name))
    items = [_worker(one).model_copy(update={"state": workers.state_of(one, now, after)}) for one in rows]
    return WorkerList(queue=_queue(session), items=items, next=None, leases=_leases(session))


def _worker(one: Worker) -> WorkerOut:
    return WorkerOut.model_validate(one, from_attributes=True)


def _queue(session: Session) -> QueueOut:
    waiting = select(Run.lane, func.count(Run.id), func.min(Run.queued_at))
    rows = session.execute(waiting.where(Run.status == RunStatus.QUEUED).group_by(Run.lane)).all()
    depth = {lane: count for lane, count, _ in rows}
    return QueueOut(
        normal=depth.get(Lane.NORMAL, 0),
        low=depth.get(Lane.LOW, 0),
        oldest_queued_at=min((oldest for _, _, oldest in rows), default=None),
    )


def _leases(session: Session) -> list[LeaseOut]:
    path = contains_eager(Run.evaluation).contains_eager(Evaluation.submission)
    query = (
        select(Run)
        .join(Run.evaluation)
        .join(Evaluation.submission)
        .join(Submission.competition)
        .options(path.contains_eager(Submission.competition).options(load_only(Competition.slug)))
        .where(Run.status == RunStatus.RUNNING)
        .order_by(Run.lease_until, Run.id)
    )
    return [_lease(run) for run in session.scalars(query)]


def _lease(run: Run) -> LeaseOut:
    evaluation = run.evaluation
    return LeaseOut(
        run_id=run.id,
        submission_id=evaluation.submission_id,
        evaluation_id=evaluation.id,
        competition=evaluation.submission.competition.slug,
        split=evaluation.split,
        seed_index=run.seed_index,
        worker=run.worker,
        started_at=run.started_at,
        lease_until=run.lease_until,
        cutoff_seconds=run.cutoff_seconds,
    )
