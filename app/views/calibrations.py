"""What organisers and admins see of calibrations."""

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app import access, calibrations
from app.models import Calibration, Competition, Reference, User
from app.schemas.operations import CalibrationOut

_SHOWN = (
    joinedload(Calibration.reference)
    .load_only(Reference.split, Reference.version, Reference.current)
    .joinedload(Reference.competition)
    .load_only(Competition.slug)
)


def listing(session: Session, viewer: User, slug: str | None = None) -> list[CalibrationOut]:
    """Return the calibrations of what the viewer organises, or of one competition: current references, then the newest, first."""
    query = (
        select(Calibration)
        .join(Reference)
        .join(Competition)
        .options(_SHOWN)
        .order_by(Reference.current.desc(), Calibration.created_at.desc(), Calibration.id)
    )
    if slug is not None:
        query = query.where(Competition.slug == slug)
    if not access.is_admin(viewer):
        query = query.where(Competition.slug.in_(access.organised(viewer)))
    return [calibration_out(one) for one in session.scalars(query)]


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
