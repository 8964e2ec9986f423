"""What the database says about work waiting and work done, in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Calibration, Evaluation, Run
from app.status import RunStatus, Status, Verdict
from app.views import operations

ENDED = (RunStatus.SUCCEEDED, RunStatus.FAILED)


@dataclass(frozen=True)
class Ended:
    """Runs that ended, and the sum of their clocks."""

    count: int
    seconds: float


@dataclass(frozen=True)
class Figures:
    """Counts by status and verdict. `ended` is by status and device, in words; `losses` are all that ever were."""

    evaluations: Mapping[Status, int]
    runs: Mapping[RunStatus, int]
    oldest_queued_at: datetime | None
    verdicts: Mapping[Verdict, int]
    ended: Mapping[tuple[RunStatus, str], Ended]
    losses: int


def read(session: Session) -> Figures:
    """Count; every table is read once at most."""
    queue = operations.queue(session)
    verdicts = session.execute(
        select(Evaluation.verdict, func.count(Evaluation.id))
        .where(Evaluation.verdict.is_not(None))
        .group_by(Evaluation.verdict)
    )
    return Figures(
        evaluations=queue.evaluations,
        runs=queue.runs,
        oldest_queued_at=queue.oldest_queued_at,
        verdicts=dict.fromkeys(Verdict, 0) | {verdict: count for verdict, count in verdicts if verdict},
        ended=_ended(session),
        losses=_losses(session),
    )


def _ended(session: Session) -> dict[tuple[RunStatus, str], Ended]:
    query = (
        select(Run.status, Calibration.device_name, func.count(Run.id), func.sum(Run.seconds))
        .outerjoin(Calibration, Calibration.id == Run.calibration_id)
        .where(Run.status.in_(ENDED))
        .group_by(Run.status, Calibration.device_name)
    )
    return {
        (status, device or "unknown"): Ended(count, seconds or 0.0)
        for status, device, count, seconds in session.execute(query)
    }


def _losses(session: Session) -> int:
    of_runs = session.scalar(select(func.sum(Run.losses)).where(Run.losses > 0)) or 0
    of_scoring = session.scalar(select(func.sum(Evaluation.losses)).where(Evaluation.losses > 0)) or 0
    return of_runs + of_scoring
