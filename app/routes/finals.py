"""Pages about final entries: choosing them, and the organiser's view of the close, with the reveal."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from app import finals, problems, reveal
from app.dependencies import Ctx, Now, Person, Reading, Writing
from app.errors import BadRequest, Conflict
from app.routes.door import OrganiserOf
from app.text import PlainText
from app.views import boards, competitions
from app.views import finals as views

router = APIRouter(include_in_schema=False)


@router.get("/competitions/{slug}/finals")
def choice(request: Request, slug: str, context: Ctx, session: Reading, person: Person, now: Now) -> Response:
    """Show what is chosen and what could be."""
    shown = {
        "competition": competitions.describe(session, slug, person, now),
        "finals": views.describe(session, slug, person, now),
        "problem": None,
        "tab": "finals",
    }
    return context.renderer.page(request, "finals.html", shown, viewer=person)


@router.post("/competitions/{slug}/finals")
def choose(
    request: Request,
    slug: str,
    context: Ctx,
    session: Writing,
    person: Person,
    now: Now,
    *,
    submission: Annotated[list[PlainText] | None, Form(max_length=1000)] = None,
    seen: Annotated[list[str] | None, Form(max_length=1000)] = None,
) -> Response:
    """Make the marked submissions the choice; one that is refused shows the form again with the reason.

    `seen` are those that the page showed as chosen; an empty one says that there were none.
    """
    shown_before = None if seen is None else list(filter(None, seen))
    try:
        finals.choose(session, slug, person, submission or [], now, seen=shown_before)
    except (BadRequest, Conflict) as error:
        shown = {
            "competition": competitions.describe(session, slug, person, now),
            "finals": views.describe(session, slug, person, now),
            "problem": problems.describe(error),
            "tab": "finals",
        }
        return context.renderer.page(request, "finals.html", shown, viewer=person, status=error.status)
    return RedirectResponse(f"/competitions/{slug}/finals", status_code=303)


@router.get("/organise/{slug}/close")
def close(
    request: Request, slug: str, context: Ctx, session: Reading, organiser: OrganiserOf, now: Now
) -> Response:
    """Show how far the close is, the private leaderboard as it would be revealed, and the button."""
    shown = {
        "competition": competitions.describe(session, slug, organiser, now),
        "closing": views.closing_of(session, slug, now),
        "board": boards.board(session, slug, now, "private"),
        "tab": "close",
    }
    return context.renderer.page(request, "organise/close.html", shown, viewer=organiser)


@router.post("/organise/{slug}/reveal")
def do_reveal(
    slug: str,
    session: Writing,
    organiser: OrganiserOf,
    now: Now,
    *,
    force: Annotated[bool, Form()] = False,
) -> Response:
    """Reveal the results, then show the private leaderboard."""
    reveal.reveal(session, slug, organiser.name, now, force=force)
    return RedirectResponse(f"/competitions/{slug}/leaderboard?split=private", status_code=303)
