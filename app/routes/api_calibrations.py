"""API v1 for organisers and admins: what retraining takes on each device, and having it measured again."""

from fastapi import APIRouter

from app import administration
from app.dependencies import Now, Organiser, Reading, Writing
from app.routes import examples
from app.routes.security import SIGNED_IN
from app.schemas import CalibrationList, CalibrationOut
from app.views.calibrations import calibration_out, listing

router = APIRouter(prefix="/api/v1/admin/calibrations", tags=["admin"], dependencies=SIGNED_IN)
_EXAMPLE = {"items": [examples.CALIBRATION]}


@router.get(
    "",
    summary="List what retraining takes on each device",
    responses={200: examples.ok("Calibrations", _EXAMPLE), **examples.problems(401, 403)},
)
def listed(session: Reading, organiser: Organiser) -> CalibrationList:
    """List the calibrations of the competitions that are yours, those of current references first.

    Runs are lent with cutoffs made of them.
    """
    return listing(session, organiser)


@router.post(
    "/{calibration_id}/remeasure",
    summary="Have a device measured again",
    responses={
        200: examples.ok("Marked as stale", examples.CALIBRATION | {"stale": True}),
        **examples.problems(
            401, 403, 404, unsafe=True, s404=("not_found", "Not found", "There is no such calibration.", "")
        ),
    },
)
def remeasure(calibration_id: str, session: Writing, organiser: Organiser, now: Now) -> CalibrationOut:
    """Mark a calibration as stale: its device is measured before it takes another run of this reference.

    Runs that were lent keep their cutoffs, and so do the evaluations that they belong to.
    """
    return calibration_out(administration.remeasure(session, calibration_id, organiser, now))
