"""Pages that anybody may read: competitions and leaderboards."""

import logging
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from app import access, problems
from app.dependencies import Ctx, Now, Reading, Visitor, look_for_changes
from app.errors import NotFound
from app.reasons import REASONS
from app.routes.arrangements import Arranged
from app.views import boards, climbs, competitions, public_data, teams
from app.views.arranged import CHOICE, arranged

router = APIRouter(include_in_schema=False)
log = logging.getLogger("lethe.web")


@router.get("/")
def home(request: Request, context: Ctx, session: Reading, visitor: Visitor, now: Now) -> Response:
    """List the competitions."""
    shown = {
        "competitions": competitions.listing(session, now),
        "invitations": [] if visitor is None else teams.waiting(session, visitor),
    }
    return context.renderer.page(request, "home.html", shown, viewer=visitor)


@router.get("/problems")
def problem_list(request: Request, context: Ctx, visitor: Visitor) -> Response:
    """Explain every code that an error or a submission can carry."""
    shown = {"reasons": REASONS.values(), "problems": problems.catalogue()}
    return context.renderer.page(request, "problems.html", shown, viewer=visitor)


@router.get("/competitions/{slug}")
def overview(
    request: Request, slug: str, context: Ctx, session: Reading, visitor: Visitor, now: Now
) -> Response:
    """Show a competition's first page."""
    return _tab(request, slug, "overview", context, session, visitor, now)


@router.get("/competitions/{slug}/leaderboard", dependencies=[Depends(look_for_changes)])
def leaderboard(
    request: Request, slug: str, context: Ctx, session: Reading, visitor: Visitor, now: Now, how: Arranged
) -> Response:
    """Show a split's leaderboard, or what is asked for of it, or that it is hidden."""
    competition = competitions.describe(session, slug, visitor, now)
    shown = {
        "competition": competition,
        "tab": "leaderboard",
        "split": how.split,
    }
    if not access.may_see_split(visitor, how.split, slug, competition.revealed_at):
        return context.renderer.page(request, "leaderboard_hidden.html", shown, viewer=visitor)
    if how.split == "private" and competition.revealed_at is None:
        whole = boards.board(session, slug, now, how.split)  # an organiser's alone, and kept nowhere
        steps = climbs.steps_of(session, slug, how.split, now)
    else:
        whole, steps = context.boards.climbed(session, slug, now, how.split)
    shown |= {
        "whole": whole,
        "board": arranged(whole, how),
        "how": how,
        "choice": CHOICE,
        "organises": access.organises(visitor, slug),
        "board_plots": climbs.drawn(whole, steps, None if visitor is None else visitor.name, now),
    }
    return context.renderer.page(request, "leaderboard.html", shown, viewer=visitor)


@router.get("/competitions/{slug}/pages/{tab}")
def page(
    request: Request, slug: str, tab: str, context: Ctx, session: Reading, visitor: Visitor, now: Now
) -> Response:
    """Show one of the organiser's other pages."""
    return _tab(request, slug, tab, context, session, visitor, now)


def _tab(
    request: Request, slug: str, tab: str, context: Ctx, session: Reading, visitor: Visitor, now: Now
) -> Response:
    competition = competitions.describe(session, slug, visitor, now)
    pages = {one.name: one for one in competition.pages}
    if tab not in pages:
        raise NotFound(f"This competition has no page named {tab!r}.")
    shown: dict[str, Any] = {
        "competition": competition,
        "tab": tab,
        "page": pages[tab],
        "public": None,
        "public_away": False,
    }
    given = None
    if tab == ("data" if "data" in pages else "overview"):
        given = public_data.given_or_none(session, slug, now)
    if given is not None:
        session.close()  # the store may take its time, and no transaction waits for it
        try:
            shown["public"] = public_data.described(given, context.public_files.of(given.digest))
        except (OSError, NotFound):  # the page is worth reading without
            log.exception("the public data of %s cannot be read", slug)
            shown["public_away"] = True
    return context.renderer.page(request, "competition.html", shown, viewer=visitor)
