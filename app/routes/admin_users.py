"""The admin's pages about accounts and invitations."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from app import accounts, invitations, links, organisers, resets
from app.context import Context
from app.dependencies import Admin, Ctx, Now, Reading, Writing
from app.models import User
from app.text import PlainText
from app.views import competitions, users

router = APIRouter(prefix="/admin", include_in_schema=False)


@router.get("/users")
def listing(
    request: Request,
    context: Ctx,
    session: Reading,
    admin: Admin,
    search: Annotated[PlainText, Query(max_length=100)] = "",
    cursor: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """List accounts, newest first."""
    shown = {"page": users.listing(session, search, cursor), "search": search, "tab": "users"}
    return context.renderer.page(request, "admin/users.html", shown, viewer=admin)


@router.get("/users/{name}")
def user(request: Request, name: str, context: Ctx, session: Reading, admin: Admin, now: Now) -> Response:
    """Show one account, and what can be done about it."""
    return _user(request, name, context, session, admin, now)


def _user(
    request: Request,
    name: str,
    context: Context,
    session: Session,
    admin: User,
    now: datetime,
    link: str | None = None,
) -> Response:
    shown = {
        "one": users.describe(session, name),
        "competitions": competitions.listing(session, now),
        "link": link,
        "tab": "users",
    }
    status = 200 if link is None else 201
    return context.renderer.page(request, "admin/user.html", shown, viewer=admin, status=status)


@router.post("/users/{name}/role")
def set_role(
    name: str, session: Writing, admin: Admin, now: Now, role: Annotated[str, Form(max_length=16)]
) -> Response:
    """Make somebody an admin or a participant."""
    accounts.set_role(session, name, role, admin.name, now)
    return _back(session, name)


@router.post("/users/{name}/disable")
def disable(name: str, session: Writing, admin: Admin, now: Now) -> Response:
    """Let somebody in nowhere."""
    accounts.disable(session, name, admin.name, now)
    return _back(session, name)


@router.post("/users/{name}/enable")
def enable(name: str, session: Writing, admin: Admin, now: Now) -> Response:
    """Let somebody sign in again."""
    accounts.enable(session, name, admin.name, now)
    return _back(session, name)


@router.post("/users/{name}/organise")
def organise(
    name: str,
    session: Writing,
    admin: Admin,
    now: Now,
    competition: Annotated[str, Form(max_length=64)],
    withdraw: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Make somebody organiser of a competition, or organiser no more."""
    change = organisers.withdraw if withdraw else organisers.grant
    change(session, competition, name, admin.name, now)
    return _back(session, name)


@router.post("/users/{name}/reset-link")
def reset_link(
    request: Request, name: str, context: Ctx, session: Writing, admin: Admin, now: Now
) -> Response:
    """Make a link for a new password and show it, this once."""
    secret = resets.issue(session, accounts.by_name(session, name), admin.name, now)
    link = links.reset(context.settings, secret)
    return _user(request, name, context, session, admin, now, link)


@router.get("/invitations")
def invited(
    request: Request,
    context: Ctx,
    session: Reading,
    admin: Admin,
    now: Now,
    cursor: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """List invitations, and make new ones."""
    return _invitations(request, context, session, admin, now, cursor=cursor)


@router.post("/invitations")
def invite(
    request: Request,
    context: Ctx,
    session: Writing,
    admin: Admin,
    now: Now,
    *,
    role: Annotated[str, Form(max_length=16)] = "participant",
    label: Annotated[PlainText, Form(max_length=64)] = "",
    email: Annotated[PlainText, Form(max_length=accounts.MAX_EMAIL)] = "",
    days: Annotated[int, Form(ge=1, le=invitations.MOST_DAYS)] = 7,
) -> Response:
    """Make a link and show it, this once."""
    _, secret = invitations.make(session, role, label, email, days, admin.name, now)
    session.flush()
    return _invitations(
        request, context, session, admin, now, link=links.invitation(context.settings, secret)
    )


@router.post("/invitations/{link_id}/revoke")
def revoke(link_id: str, session: Writing, admin: Admin, now: Now) -> Response:
    """Make a link worthless."""
    invitations.revoke(session, link_id, admin.name, now)
    return RedirectResponse("/admin/invitations", status_code=303)


def _invitations(
    request: Request,
    context: Context,
    session: Session,
    admin: User,
    now: datetime,
    *,
    link: str | None = None,
    cursor: str = "",
) -> Response:
    shown = {
        "page": users.invitations(session, cursor, now),
        "registration": context.settings.registration,
        "link": link,
        "tab": "invitations",
    }
    status = 200 if link is None else 201
    return context.renderer.page(request, "admin/invitations.html", shown, viewer=admin, status=status)


def _back(session: Session, name: str) -> Response:
    session.flush()
    return RedirectResponse(users.describe(session, name).links.html, status_code=303)
