"""API v1 for admins: what retraining takes on each device, and having it measured again."""

from fastapi import APIRouter

from app import calibrations
from app.dependencies import Admin, Now, Reading, Writing
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
def listed(session: Reading, _admin: Admin) -> CalibrationList:
    """List every calibration, those of current references first: runs are lent with cutoffs made of it."""
    return listing(session)


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
def remeasure(calibration_id: str, session: Writing, admin: Admin, now: Now) -> CalibrationOut:
    """Mark a calibration as stale: its device is measured before it takes another run of this reference.

    Runs that were lent keep their cutoffs, and so do the evaluations that they belong to.
    """
    return calibration_out(calibrations.mark_stale(session, calibration_id, admin.name, now))
