"""The admin's pages: evaluations, queue, workers, events, calibrations; and what organisers do too: rerun, cancel, remeasure."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from app import access, administration, calibrations, submissions
from app.dependencies import Admin, Ctx, Now, Organiser, Reading, Writing
from app.status import Status
from app.text import LARGEST_ID, PlainText
from app.views import operations, workers
from app.views.calibrations import listing

router = APIRouter(prefix="/admin", include_in_schema=False)


@router.get("")
def evaluations(
    request: Request,
    context: Ctx,
    session: Reading,
    admin: Admin,
    status: Annotated[Status | None, Query()] = None,
    cursor: Annotated[str | None, Query()] = None,
) -> Response:
    """List evaluations, with the queue above them."""
    shown = {
        "page": operations.evaluations(session, status, cursor),
        "queue": operations.queue(session),
        "status": status,
        "statuses": list(Status),
        "base": "/admin",
        "tab": "evaluations",
    }
    return context.renderer.page(request, "admin/evaluations.html", shown, viewer=admin)


@router.get("/events")
def events(
    request: Request,
    context: Ctx,
    session: Reading,
    admin: Admin,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    submission: Annotated[str | None, Query()] = None,
) -> Response:
    """Show the event log, newest first."""
    found = operations.latest_events(session, before, submission)
    shown = {
        "events": found,
        "submission": submission,
        "older": found[-1].id if len(found) == operations.PAGE_SIZE else None,
        "tab": "events",
    }
    return context.renderer.page(request, "admin/events.html", shown, viewer=admin)


@router.get("/calibrations")
def calibrations_page(request: Request, context: Ctx, session: Reading, admin: Admin) -> Response:
    """Show what retraining takes on each device, and what has drifted."""
    shown = {
        "items": listing(session, admin),
        "steady": calibrations.STEADY,
        "competition": None,
        "tab": "calibrations",
    }
    return context.renderer.page(request, "admin/calibrations.html", shown, viewer=admin)


@router.get("/workers")
def workers_page(request: Request, context: Ctx, session: Reading, admin: Admin, now: Now) -> Response:
    """Show workers, what waits for them, and what is lent."""
    shown = {"found": workers.listing(session, context.settings, now), "tab": "workers"}
    return context.renderer.page(request, "admin/workers.html", shown, viewer=admin)


@router.post("/calibrations/{calibration_id}/remeasure")
def remeasure(calibration_id: str, session: Writing, organiser: Organiser, now: Now) -> Response:
    """Have a device measured again, then show the list."""
    found = administration.remeasure(session, calibration_id, organiser, now)
    base = "/admin" if access.is_admin(organiser) else f"/organise/{found.reference.competition.slug}"
    return RedirectResponse(f"{base}/calibrations", status_code=303)


@router.post("/submissions/{submission_id}/rerun")
def rerun(
    submission_id: str,
    context: Ctx,
    session: Writing,
    organiser: Organiser,
    now: Now,
    reason: Annotated[PlainText, Form(min_length=1, max_length=500)],
    split: Annotated[str, Form(pattern="^(public|private)$")] = "public",
) -> Response:
    """Grade a submission again, then show it."""
    administration.rerun(
        session,
        submission_id,
        split,
        reason,
        organiser,
        now,
        queue_due=context.settings.queue_due,
        bell=context.bell,
    )
    return RedirectResponse(f"/submissions/{submission_id}", status_code=303)


@router.post("/submissions/{submission_id}/evaluations/{evaluation_id}/cancel")
def cancel(
    submission_id: str, evaluation_id: str, session: Writing, organiser: Organiser, now: Now
) -> Response:
    """Cancel exactly this evaluation, then show its submission."""
    submissions.cancel(session, submission_id, organiser, now, evaluation_id)
    return RedirectResponse(f"/submissions/{submission_id}", status_code=303)
