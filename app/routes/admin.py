"""The admin's pages: how things stand, evaluations, workers, calibrations; and what organisers do too: rerun, cancel, remeasure."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from app import access, administration, calibrations
from app.dependencies import Admin, Ctx, Now, Organiser, Reading, Writing
from app.evaluation_filter import Chosen, EvaluationFilter
from app.reruns import MOST
from app.status import Status, Verdict
from app.text import PlainText, Reason
from app.views import evaluation_list, workers
from app.views.calibrations import listing
from app.views.overview import overview

router = APIRouter(prefix="/admin", include_in_schema=False)
Why = Annotated[Reason, Form()]


@router.get("")
def home(request: Request, context: Ctx, session: Reading, admin: Admin, now: Now) -> Response:
    """Show how things stand, and what needs somebody."""
    shown = {"found": overview(session, context.settings, admin, now), "tab": "overview"}
    return context.renderer.page(request, "admin/overview.html", shown, viewer=admin)


@router.get("/evaluations")
def evaluations(
    request: Request,
    context: Ctx,
    session: Reading,
    admin: Admin,
    wanted: Annotated[EvaluationFilter, Query()],
) -> Response:
    """List everybody's evaluations, filtered."""
    shown = {
        "page": evaluation_list.page(session, wanted, admin),
        "wanted": wanted,
        "options": evaluation_list.options(session, admin),
        "statuses": list(Status),
        "verdicts": list(Verdict),
        "base": "/admin/evaluations",
        "choosing": "/admin/evaluations",
        "tab": "evaluations",
    }
    return context.renderer.page(request, "admin/evaluations.html", shown, viewer=admin)


@router.get("/evaluations/{act}")
def choose(
    request: Request,
    act: evaluation_list.Act,
    context: Ctx,
    session: Reading,
    admin: Admin,
    wanted: Annotated[Chosen, Query()],
) -> Response:
    """Show what was chosen, or all that match, and ask why it is to be graded again or stopped."""
    chosen = evaluation_list.chosen(session, wanted, act, admin)
    shown = {
        "chosen": chosen,
        "act": act,
        "wanted": wanted,
        "most": MOST,
        "competition": None,
        "base": "/admin/evaluations",
        "tab": "evaluations",
    }
    return context.renderer.page(request, "admin/chosen.html", shown, viewer=admin)


@router.post("/evaluations/cancel")
def cancel_many(
    session: Writing,
    organiser: Organiser,
    now: Now,
    reason: Why,
    evaluation: Annotated[list[PlainText], Form(max_length=MOST)],
) -> Response:
    """Cancel what was chosen, then list evaluations."""
    reached = administration.cancel(session, evaluation, reason, organiser, now)
    slug = reached[0].submission.competition.slug
    back = "/admin/evaluations" if access.is_admin(organiser) else f"/organise/{slug}"
    return RedirectResponse(back, status_code=303)


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
    reason: Why,
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


@router.post("/evaluations/{evaluation_id}/cancel")
def cancel(evaluation_id: str, session: Writing, organiser: Organiser, now: Now, reason: Why) -> Response:
    """Cancel exactly this evaluation, then show its submission."""
    [reached] = administration.cancel(session, [evaluation_id], reason, organiser, now)
    return RedirectResponse(f"/submissions/{reached.submission_id}", status_code=303)
