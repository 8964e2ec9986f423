"""What admins see of calibrations."""

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app import calibrations
from app.models import Calibration, Competition, Reference
from app.schemas import CalibrationList, CalibrationOut

_SHOWN = (
    joinedload(Calibration.reference)
    .load_only(Reference.split, Reference.version, Reference.current)
    .joinedload(Reference.competition)
    .load_only(Competition.slug)
)


def listing(session: Session) -> CalibrationList:
    """Return every calibration, those of current references first, and of them the newest."""
    query = (
        select(Calibration)
        .join(Reference)
        .options(_SHOWN)
        .order_by(Reference.current.desc(), Calibration.created_at.desc(), Calibration.id)
    )
    return CalibrationList(items=[calibration_out(one) for one in session.scalars(query)])


def calibration_out(one: Calibration) -> CalibrationOut:
    """Return one calibration as the API answers it."""
    return CalibrationOut(
        id=one.id,
        competition=one.reference.competition.slug,
        split=one.reference.split,
        reference_version=one.reference.version,
        current=one.reference.current,
        device=one.device,
        device_name=one.device_name,
        facts=one.facts,
        seconds=one.seconds,
        repeats=one.repeats,
        worker=one.worker,
        measured_at=one.created_at,
        drift=one.drift,
        drifted=one.drift is not None and not calibrations.is_steady(one.drift),
        checked_at=one.checked_at,
        stale=one.stale,
    )
