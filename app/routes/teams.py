"""The team's page of a competition, and its forms."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from app import problems, teams
from app.context import Context
from app.db import read_only, unit_of_work
from app.dependencies import Ctx, Now, Person, Reading
from app.errors import LetheError
from app.models import User
from app.text import PlainText
from app.views import competitions
from app.views.teams import describe

router = APIRouter(include_in_schema=False)
PAGE = "/competitions/{slug}/team"
Name = Annotated[PlainText, Form(max_length=200)]


@router.get(PAGE)
def show(request: Request, slug: str, context: Ctx, session: Reading, person: Person, now: Now) -> Response:
    """Show the team, its invitations, and what one may do."""
    return _page(request, slug, context, session, person, now)


@router.post(PAGE + "/create")
def create(request: Request, slug: str, context: Ctx, person: Person, name: Name = "") -> Response:
    """Create a team."""
    return _do(request, slug, context, person, teams.create, slug, name)


@router.post(PAGE + "/rename")
def rename(request: Request, slug: str, context: Ctx, person: Person, name: Name = "") -> Response:
    """Rename it."""
    return _do(request, slug, context, person, teams.rename, slug, name)


@router.post(PAGE + "/hand-over")
def hand_over(request: Request, slug: str, context: Ctx, person: Person, name: Name = "") -> Response:
    """Let another member lead it."""
    return _do(request, slug, context, person, teams.hand_over, slug, name)


@router.post(PAGE + "/leave")
def leave(request: Request, slug: str, context: Ctx, person: Person) -> Response:
    """Leave it."""
    return _do(request, slug, context, person, teams.leave, slug)


@router.post(PAGE + "/invite")
def invite(request: Request, slug: str, context: Ctx, person: Person, name: Name = "") -> Response:
    """Invite a person."""
    return _do(request, slug, context, person, teams.invite, slug, name)


@router.post(PAGE + "/merge")
def merge(request: Request, slug: str, context: Ctx, person: Person, name: Name = "") -> Response:
    """Ask another team to merge."""
    return _do(request, slug, context, person, teams.invite_team, slug, name)


@router.post(PAGE + "/invitations/{invitation_id}/{answer}")
def answer(
    request: Request,
    slug: str,
    invitation_id: str,
    answer: Literal["accept", "decline", "withdraw"],
    context: Ctx,
    person: Person,
) -> Response:
    """Accept, decline or withdraw an invitation."""
    answers = {"accept": teams.accept, "decline": teams.decline, "withdraw": teams.withdraw}
    return _do(request, slug, context, person, answers[answer], invitation_id)


def _do(
    request: Request, slug: str, context: Context, person: User, change: Callable[..., Any], *words: str
) -> Response:
    """Make a change and go back to the page; where it is refused, show the page with the reason."""
    now = context.clock()
    try:
        with unit_of_work(context.engine) as session:
            change(session, *words, person, now)
    except LetheError as error:
        with read_only(context.engine) as session:
            return _page(request, slug, context, session, person, now, error)
    return RedirectResponse(f"/competitions/{slug}/team", status_code=303)


def _page(
    request: Request,
    slug: str,
    context: Context,
    session: Session,
    person: User,
    now: datetime,
    error: LetheError | None = None,
) -> Response:
    shown = {
        "competition": competitions.describe(session, slug, person, now),
        "tab": "team",
        "one": describe(session, slug, person, now),
        "problem": None if error is None else problems.describe(error),
    }
    status = 200 if error is None else error.status
    return context.renderer.page(request, "team.html", shown, viewer=person, status=status)
