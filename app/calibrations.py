"""How long one retraining of a reference takes on a device: stored once, checked for drift, measured again when asked.

Runs are lent with cutoffs made of it, and keep them. Nothing here commits.
"""

import statistics
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app import events
from app.errors import NotFound
from app.models import Calibration, Reference

STEADY = (0.8, 1.25)
"""A check's seconds over the stored ones; outside of these, a device is no longer what its calibration says."""


@dataclass(frozen=True)
class Measured:
    """What a worker measured: wall seconds of each retraining, and on what."""

    reference_id: str
    device: str
    device_name: str
    facts: dict[str, Any]
    repeats: tuple[float, ...]
    worker: str


def is_steady(drift: float) -> bool:
    """Tell whether a check came close enough to what is stored."""
    low, high = STEADY
    return low <= drift <= high


def find(session: Session, reference_id: str, device: str) -> Calibration | None:
    """Return the calibration that runs may be lent by on this device, if there is one that is not stale."""
    return session.scalar(_of(reference_id, device).where(~Calibration.stale))


def store(session: Session, measured: Measured, now: datetime) -> Calibration:
    """Keep what was measured, unless somebody was quicker; return what is stored then.

    Workers on equal devices may measure at once: the first decides, so that all of them lend by one number.
    """
    one = measured.reference_id
    reference = session.get_one(Reference, one, with_for_update={"key_share": True})
    found = session.scalar(_of(one, measured.device).execution_options(populate_existing=True))
    if found is not None and not found.stale:
        return found
    calibration = found or Calibration(id=uuid4().hex, reference_id=one, device=measured.device)
    calibration.device_name = measured.device_name
    calibration.facts = measured.facts
    calibration.seconds = statistics.median(measured.repeats)
    calibration.repeats = list(measured.repeats)
    calibration.worker = measured.worker
    calibration.stale = False
    calibration.created_at = now
    calibration.drift = calibration.checked_at = None
    session.add(calibration)
    session.flush()
    each = ", ".join(f"{seconds:.3f}" for seconds in measured.repeats)
    detail = f"{_place(reference)}, {calibration.device_name}: {calibration.seconds:.3f} s ({each})"
    events.write(session, "calibration.measured", measured.worker, now, detail=detail)
    return calibration


def check(session: Session, calibration_id: str, seconds: float, worker: str, now: datetime) -> float:
    """Keep how one more retraining compares, and write an event if it strays; return measured over stored seconds.

    The cutoffs stay: whether to measure again is for an admin to say.
    """
    calibration = session.get_one(Calibration, calibration_id, with_for_update={"key_share": True})
    drift = seconds / calibration.seconds
    calibration.drift, calibration.checked_at = drift, now
    if not is_steady(drift):
        place = f"{_place(calibration.reference)}, {calibration.device_name}"
        detail = f"{place}: {seconds:.3f} s now, {calibration.seconds:.3f} s stored (ratio {drift:.2f})"
        events.write(session, "calibration.drifted", worker, now, detail=detail)
    return drift


def mark_stale(session: Session, calibration_id: str, actor: str, now: datetime) -> Calibration:
    """Have the device measured again before it takes another run of this reference. Raises NotFound.

    Runs that were lent keep their cutoffs.
    """
    calibration = session.get(Calibration, calibration_id, with_for_update={"key_share": True})
    if calibration is None:
        raise NotFound("There is no such calibration.")
    if not calibration.stale:
        calibration.stale = True
        detail = f"{_place(calibration.reference)}, {calibration.device_name}"
        events.write(session, "calibration.remeasure_asked", actor, now, detail=detail)
    return calibration


def _of(reference_id: str, device: str) -> Select[Calibration]:
    return select(Calibration).where(Calibration.reference_id == reference_id, Calibration.device == device)


def _place(reference: Reference) -> str:
    return f"{reference.competition.slug} {reference.split} version {reference.version}"
