"""How much there is to do."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Competition, Evaluation, Run
from app.status import RunStatus, Status

OPEN = (Status.QUEUED, Status.RUNNING, Status.SCORING)
OPEN_RUNS = (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(frozen=True)
class Queue:
    """How much there is to do, and since when the oldest waits; what has ended is not counted."""

    evaluations: dict[Status, int]
    runs: dict[RunStatus, int]
    workers: tuple[str, ...]
    oldest_queued_at: datetime | None


def queue(session: Session) -> Queue:
    """Return the counts of what is queued and running."""
    by_status = session.execute(
        select(Evaluation.status, func.count(Evaluation.id))
        .where(Evaluation.status.in_(OPEN))
        .group_by(Evaluation.status)
    )
    runs = session.execute(
        select(Run.status, func.count(Run.id)).where(Run.status.in_(OPEN_RUNS)).group_by(Run.status)
    )
    workers = session.scalars(
        select(Run.worker).where(Run.status == RunStatus.RUNNING, Run.worker.is_not(None)).distinct()
    )
    oldest = session.scalar(select(func.min(Run.queued_at)).where(Run.status == RunStatus.QUEUED))
    return Queue(
        evaluations=dict.fromkeys(OPEN, 0) | dict(by_status.all()),
        runs=dict.fromkeys(OPEN_RUNS, 0) | dict(runs.all()),
        workers=tuple(sorted(name for name in workers if name is not None)),
        oldest_queued_at=oldest,
    )


def ping(session: Session) -> None:
    """Raise if the database does not answer or has no schema."""
    session.scalar(select(Competition.id).limit(1))
