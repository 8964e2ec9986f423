"""The organiser's pages: their competitions, and of each everybody's evaluations, reruns, entrants and the calibrations."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app import access, calibrations
from app.dependencies import Ctx, Now, Organiser, Reading
from app.evaluation_filter import Chosen, EvaluationFilter
from app.reruns import MOST
from app.routes.door import OrganiserOf
from app.status import Status, Verdict
from app.views import competitions, entrants, evaluation_list, reruns
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
        "page": evaluation_list.page(session, here, organiser),
        "wanted": here,
        "options": evaluation_list.options(session, organiser),
        "statuses": list(Status),
        "verdicts": list(Verdict),
        "base": f"/organise/{slug}",
        "choosing": f"/organise/{slug}/evaluations",
        "tab": "evaluations",
    }
    return context.renderer.page(request, "admin/evaluations.html", shown, viewer=organiser)


@router.get("/{slug}/evaluations/{act}")
def choose(
    request: Request,
    slug: str,
    act: evaluation_list.Act,
    context: Ctx,
    session: Reading,
    organiser: OrganiserOf,
    now: Now,
    *,
    wanted: Annotated[Chosen, Query()],
) -> Response:
    """Show what was chosen, or all that match, and ask why it is to be graded again or stopped."""
    here = wanted.model_copy(update={"competition": slug})
    shown = {
        "competition": competitions.describe(session, slug, organiser, now),
        "chosen": evaluation_list.chosen(session, here, act, organiser),
        "act": act,
        "wanted": here,
        "most": MOST,
        "base": f"/organise/{slug}",
        "tab": "evaluations",
    }
    return context.renderer.page(request, "admin/chosen.html", shown, viewer=organiser)


@router.get("/{slug}/reruns")
def reruns_page(
    request: Request,
    slug: str,
    context: Ctx,
    session: Reading,
    organiser: OrganiserOf,
    now: Now,
    cursor: Annotated[str | None, Query()] = None,
) -> Response:
    """List a competition's reruns of many, newest first."""
    shown = {
        "competition": competitions.describe(session, slug, organiser, now),
        "page": reruns.listing(session, organiser, slug, cursor),
        "base": f"/organise/{slug}",
        "tab": "reruns",
    }
    return context.renderer.page(request, "admin/reruns.html", shown, viewer=organiser)


@router.get("/{slug}/entrants")
def entrants_page(
    request: Request,
    slug: str,
    context: Ctx,
    session: Reading,
    organiser: OrganiserOf,
    now: Now,
    *,
    name: Annotated[str, Query(max_length=64)] = "",
    cursor: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """List who has submitted to a competition, by name."""
    shown = {
        "competition": competitions.describe(session, slug, organiser, now),
        "page": entrants.listing(session, organiser, slug, name, cursor),
        "slug": slug,
        "name": name,
        "base": f"/organise/{slug}/entrants",
        "tab": "entrants",
    }
    return context.renderer.page(request, "admin/entrants.html", shown, viewer=organiser)


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
