"""The pages about entrants, for admins and organisers: quota, disqualifying, reinstating."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from app import disqualifying, entrants, quota
from app.dependencies import Admin, Ctx, Now, Organiser, Reading, Writing
from app.errors import BadRequest
from app.routes.door import OrganiserOf
from app.text import Reason
from app.views import competitions
from app.views import entrants as views

router = APIRouter(prefix="/admin", include_in_schema=False)
Why = Annotated[Reason, Form()]
ENTRANT = "/competitions/{slug}/entrants/{name}"


@router.get("/entrants")
def listing(
    request: Request,
    context: Ctx,
    session: Reading,
    admin: Admin,
    now: Now,
    *,
    competition: Annotated[str, Query(max_length=64)] = "",
    name: Annotated[str, Query(max_length=64)] = "",
    cursor: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """List who has submitted, by competition and name."""
    shown = {
        "page": views.listing(session, admin, competition, name, cursor),
        "competitions": competitions.listing(session, now),
        "competition": None,
        "slug": competition,
        "name": name,
        "base": "/admin/entrants",
        "tab": "entrants",
    }
    return context.renderer.page(request, "admin/entrants.html", shown, viewer=admin)


@router.get(ENTRANT)
def entrant(
    request: Request, slug: str, name: str, context: Ctx, session: Reading, organiser: OrganiserOf, now: Now
) -> Response:
    """Show somebody in a competition."""
    shown = {
        "one": views.describe(session, slug, name, now),
        "competition": competitions.describe(session, slug, organiser, now),
        "tab": "entrants",
    }
    return context.renderer.page(request, "admin/entrant.html", shown, viewer=organiser)


@router.post(ENTRANT + "/quota")
def adjust(
    slug: str,
    name: str,
    session: Writing,
    organiser: OrganiserOf,
    now: Now,
    *,
    reason: Why,
    amount: Annotated[int, Form(ge=-quota.MOST_ADJUSTED, le=quota.MOST_ADJUSTED)],
    day: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Give or take submissions, then show the entrant."""
    competition, user = entrants.find(session, slug, name)
    quota.adjust(session, user, competition, amount, _day(day), reason, actor=organiser, now=now)
    return _back(slug, name)


@router.post(ENTRANT + "/disqualify")
def disqualify_entrant(
    slug: str, name: str, session: Writing, organiser: OrganiserOf, now: Now, reason: Why
) -> Response:
    """Let nothing of an entrant count, then show them."""
    competition, user = entrants.find(session, slug, name)
    disqualifying.disqualify_entrant(session, competition, user, reason, organiser, now)
    return _back(slug, name)


@router.post(ENTRANT + "/reinstate")
def reinstate_entrant(
    slug: str, name: str, session: Writing, organiser: OrganiserOf, now: Now, reason: Why
) -> Response:
    """Let an entrant count again, then show them."""
    competition, user = entrants.find(session, slug, name)
    disqualifying.reinstate_entrant(session, competition, user, reason, organiser, now)
    return _back(slug, name)


@router.post("/submissions/{submission_id}/disqualify")
def disqualify(submission_id: str, session: Writing, organiser: Organiser, now: Now, reason: Why) -> Response:
    """Let a submission count nowhere, then show it."""
    disqualifying.disqualify_submission(session, submission_id, reason, organiser, now)
    return RedirectResponse(f"/submissions/{submission_id}", status_code=303)


@router.post("/submissions/{submission_id}/reinstate")
def reinstate(submission_id: str, session: Writing, organiser: Organiser, now: Now, reason: Why) -> Response:
    """Let a submission count again, then show it."""
    disqualifying.reinstate_submission(session, submission_id, reason, organiser, now)
    return RedirectResponse(f"/submissions/{submission_id}", status_code=303)


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError as error:
        raise BadRequest("The day is not one.", advice="Write it as 2026-01-31.") from error


def _back(slug: str, name: str) -> Response:
    return RedirectResponse(views.links_of(slug, name).html, status_code=303)
