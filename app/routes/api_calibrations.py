"""API v1 for organisers and admins: what retraining takes on each device, and having it measured again."""

from typing import Annotated

from fastapi import APIRouter, Path

from app import administration, cursors
from app.dependencies import Now, Organiser, Reading, Writing
from app.routes import answers
from app.routes.door import Cursor
from app.routes.examples import common as examples
from app.routes.security import SIGNED_IN
from app.schemas.operations import CalibrationList, CalibrationOut
from app.views.calibrations import calibration_out, listing

router = APIRouter(prefix="/api/v1/admin/calibrations", tags=["admin"], dependencies=SIGNED_IN)
_EXAMPLE = {"items": [examples.CALIBRATION], "next": None}


@router.get(
    "",
    summary="List what retraining takes on each device",
    responses={200: answers.ok("Calibrations", _EXAMPLE), **answers.problems(401, 403)},
)
def list_calibrations(session: Reading, organiser: Organiser, cursor: Cursor = None) -> CalibrationList:
    """List the calibrations of the competitions that are yours, those of current references first.

    Runs are lent with cutoffs made of them.
    """
    found = listing(session, organiser)
    items, following = cursors.part(found, router.prefix, cursor, lambda one: one.id)
    return CalibrationList(items=items, next=following)


@router.post(
    "/{calibration_id}/remeasure",
    summary="Have a device measured again",
    responses={
        200: answers.ok("Marked as stale", examples.CALIBRATION | {"stale": True}),
        **answers.problems(
            401, 403, 404, unsafe=True, s404=("not_found", "Not found", "There is no such calibration.", "")
        ),
    },
)
def remeasure_calibration(
    calibration_id: Annotated[str, Path(description="the calibration's id")],
    session: Writing,
    organiser: Organiser,
    now: Now,
) -> CalibrationOut:
    """Mark a calibration as stale: its device is measured before it takes another run of this reference.

    Runs that were lent keep their cutoffs, and so do the evaluations that they belong to.
    """
    return calibration_out(administration.remeasure(session, calibration_id, organiser, now))
