"""Workers as they tell of themselves. Nothing is decided by it: leases alone say whose a run is. Nothing here commits."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.models import Worker
from app.settings import Settings
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


def forget(session: Session, now: datetime) -> None:
    """Take the rows of workers away that were not heard of for a day."""
    old = delete(Worker).where(Worker.seen_at <= now - FORGOTTEN_AFTER)
    session.execute(old.execution_options(synchronize_session=False))


def lost_after(settings: Settings) -> timedelta:
    """Return how long a worker is silent before it counts as lost: about as long as its runs are its own."""
    return timedelta(seconds=max(settings.lease_seconds, 2 * settings.reap_seconds))


def state_of(worker: Worker, now: datetime, after: timedelta) -> WorkerState:
    """Return what a worker is about; lost, whatever it said last, when it was silent for so long."""
    return WorkerState.LOST if worker.seen_at <= now - after else worker.state
