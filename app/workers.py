"""Workers as they tell of themselves. Nothing is decided by it: leases alone say whose a run is. Nothing here commits."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.models import Worker
from app.status import WorkerState

FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Identity:
    """What stays the same as long as a worker's process lives."""

    name: str
    host: str
    pid: int
    device_class: str  # "cpu" | "cuda"
    device: str  # digest of what it is, without any competition's limits
    device_name: str
    sandboxes: str
    version: str
    started_at: datetime


def beat(session: Session, who: Identity, state: WorkerState, run_id: str | None, now: datetime) -> None:
    """Say that a worker is alive, and what it is about."""
    session.merge(Worker(**asdict(who), state=state, run_id=run_id, seen_at=now))


def leave(session: Session, who: Identity) -> None:
    """Take a worker's row away, unless another process has its name by now."""
    session.execute(delete(Worker).where(Worker.name == who.name, Worker.started_at == who.started_at))


def tidy(session: Session, now: datetime, lost_after: timedelta) -> None:
    """Mark workers that were not heard of for so long, and after a day forget them."""
    silent = Worker.seen_at <= now - lost_after
    lost = update(Worker).where(silent, Worker.state != WorkerState.LOST)
    session.execute(lost.values(state=WorkerState.LOST).execution_options(synchronize_session=False))
    old = delete(Worker).where(Worker.seen_at <= now - FORGOTTEN_AFTER)
    session.execute(old.execution_options(synchronize_session=False))


def listing(session: Session) -> list[Worker]:
    """Return all workers by name."""
    return list(session.scalars(select(Worker).order_by(Worker.name)))
