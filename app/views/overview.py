"""What an admin looks at first: what waits, what runs, and what needs somebody."""

from collections import Counter
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import workers
from app.evaluations.turns import wanted_device
from app.models import Competition, Evaluation, Reference, Run, User, Worker
from app.schemas.overview import OverviewOut, WaitingOut
from app.settings import Settings
from app.status import Lane, RunStatus, Status, Verdict, WorkerState
from app.views import calibrations, reruns

DEAD = (WorkerState.LOST,)


def overview(session: Session, settings: Settings, viewer: User, now: datetime) -> OverviewOut:
    """Return how things stand."""
    after = workers.lost_after(settings)
    states = [
        (one.device_class, workers.state_of(one, now, after)) for one in session.scalars(select(Worker))
    ]
    alive = {device for device, state in states if state not in DEAD}
    running = session.scalar(select(func.count(Run.id)).where(Run.status == RunStatus.RUNNING))
    return OverviewOut(
        waiting=_waiting(session, alive),
        running=running or 0,
        evaluations=_open(session),
        workers=dict(Counter(state for _, state in states)),
        stalled=_stalled(session),
        reruns=reruns.undecided(session),
        drifted=[
            one
            for one in calibrations.listing(session, viewer)
            if one.current and one.drifted and not one.stale
        ],
    )


def _waiting(session: Session, alive: set[str]) -> list[WaitingOut]:
    """Count queued runs by lane and the class of devices that they want."""
    device = wanted_device()
    rows = session.execute(
        select(Run.lane, device, func.count(Run.id), func.min(Run.queued_at))
        .join(Reference, Reference.id == Run.reference_id)
        .join(Competition, Competition.id == Reference.competition_id)
        .where(Run.status == RunStatus.QUEUED)
        .group_by(Run.lane, device)
        .order_by(Run.lane, device)
    )
    return [
        WaitingOut(
            lane=Lane(lane).name.lower(),
            device_class=wanted,
            runs=count,
            oldest_at=oldest,
            served=bool(alive) if wanted == "any" else wanted in alive,
        )
        for lane, wanted, count, oldest in rows
    ]


def _open(session: Session) -> dict[Status, int]:
    rows = session.execute(
        select(Evaluation.status, func.count(Evaluation.id))
        .where(Evaluation.status != Status.DONE)
        .group_by(Evaluation.status)
    )
    return {status: 0 for status in Status if status is not Status.DONE} | dict(rows.all())


def _stalled(session: Session) -> int:
    """Count what ended through our fault and is still all that is shown."""
    shown = select(func.count(Evaluation.id)).where(
        Evaluation.verdict == Verdict.STALLED, Evaluation.published
    )
    return session.scalar(shown) or 0
