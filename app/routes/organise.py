"""The organiser's pages: their competitions, and of each everybody's evaluations and the calibrations."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app import access, calibrations
from app.dependencies import Ctx, Now, Organiser, Reading
from app.evaluation_filter import EvaluationFilter
from app.routes.door import OrganiserOf
from app.status import Status, Verdict
from app.views import competitions, evaluation_list
from app.views.calibrations import listing

router = APIRouter(prefix="/organise", include_in_schema=False)


@router.get("")
def home(request: Request, context: Ctx, session: Reading, organiser: Organiser, now: Now) -> Response:
    """List the competitions that are the viewer's to organise."""
    found = competitions.listing(session, now)
    shown = {"competitions": [one for one in found if access.organises(organiser, one.slug)]}
    return context.renderer.page(request, "organise/home.html", shown, viewer=organiser)


@router.get("/{slug}")
def evaluations(
    request: Request,
    slug: str,
    context: Ctx,
    session: Reading,
    organiser: OrganiserOf,
    now: Now,
    wanted: Annotated[EvaluationFilter, Query()],
) -> Response:
    """List everybody's evaluations in a competition, on both splits."""
    here = wanted.model_copy(update={"competition": slug})
    shown = {
        "competition": competitions.describe(session, slug, organiser, now),
        "page": evaluation_list.page(session, here),
        "wanted": here,
        "options": evaluation_list.options(session),
        "statuses": list(Status),
        "verdicts": list(Verdict),
        "base": f"/organise/{slug}",
        "tab": "evaluations",
    }
    return context.renderer.page(request, "admin/evaluations.html", shown, viewer=organiser)


@router.get("/{slug}/calibrations")
def calibrations_page(
    request: Request, slug: str, context: Ctx, session: Reading, organiser: OrganiserOf, now: Now
) -> Response:
    """Show what retraining for a competition takes on each device."""
    shown = {
        "competition": competitions.describe(session, slug, organiser, now),
        "items": listing(session, organiser, slug),
        "steady": calibrations.STEADY,
        "tab": "calibrations",
    }
    return context.renderer.page(request, "admin/calibrations.html", shown, viewer=organiser)
