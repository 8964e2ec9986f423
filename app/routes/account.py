"""One's own account: address, password, sessions and API tokens."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from app import accounts, auth, identities, tokens
from app.context import Context
from app.db import read_only, unit_of_work
from app.dependencies import AccountHolder, Ctx, Now, Reading, Writing, session_cookie
from app.errors import LetheError
from app.models import User
from app.routes.forms import shown_again
from app.routes.passwords import confirmed
from app.text import PlainText

router = APIRouter(prefix="/account", include_in_schema=False)
Password = Annotated[str, Form(max_length=auth.MAX_PASSWORD)]


@router.get("")
def account(request: Request, context: Ctx, session: Reading, person: AccountHolder, now: Now) -> Response:
    """Show the account."""
    shown = _shown(request, context, session, person, now)
    return context.renderer.page(request, "account.html", shown, viewer=person)


@router.post("/email")
def change_email(
    request: Request,
    context: Ctx,
    person: AccountHolder,
    email: Annotated[PlainText, Form(max_length=accounts.MAX_EMAIL)] = "",
    password: Password = "",
) -> Response:
    """Keep another address, or none; the password shows that it is not somebody at an unlocked screen."""
    now = context.clock()
    try:
        confirmed(request, context, person, password, now)
        with unit_of_work(context.engine) as session:
            accounts.set_email(session, person.id, email, now)
    except LetheError as error:
        return _again(request, context, person, error, now)
    return _back()


@router.post("/password")
def change_password(
    request: Request, context: Ctx, person: AccountHolder, old: Password = "", new: Password = ""
) -> Response:
    """Replace the password; whoever is signed in elsewhere is not any more."""
    now = context.clock()
    try:
        confirmed(request, context, person, old, now)
        hashed = auth.hash_password(new)
        with unit_of_work(context.engine) as session:
            kept = _own_secret(request, context)
            accounts.change_password(session, person.id, hashed, kept, now)
    except LetheError as error:
        return _again(request, context, person, error, now)
    return _back()


@router.post("/sessions/end-others")
def end_others(request: Request, context: Ctx, session: Writing, person: AccountHolder, now: Now) -> Response:
    """End all sessions but this one."""
    tokens.end_others(session, person, _own_secret(request, context), now)
    return _back()


@router.post("/sessions/{token_id}/end")
def end_session(token_id: str, session: Writing, person: AccountHolder, now: Now) -> Response:
    """End one of one's own sessions."""
    tokens.revoke(session, person, token_id, now)
    return _back()


@router.post("/tokens")
def create_token(
    request: Request,
    context: Ctx,
    session: Writing,
    person: AccountHolder,
    now: Now,
    *,
    label: Annotated[PlainText, Form(min_length=1, max_length=64)],
    days: Annotated[int, Form(ge=0, le=3650)] = 0,
) -> Response:
    """Make an API token and show it, this once; 0 days is for ever."""
    lifetime = timedelta(days=days) if days else None
    secret = auth.issue_token(session, person, "api", label.strip() or "token", now, lifetime)
    shown = _shown(request, context, session, person, now) | {"secret": secret}
    return context.renderer.page(request, "account.html", shown, viewer=person, status=201)


@router.post("/tokens/{token_id}/revoke")
def revoke_token(token_id: str, session: Writing, person: AccountHolder, now: Now) -> Response:
    """Make one of one's own tokens worthless."""
    tokens.revoke(session, person, token_id, now)
    return _back()


@router.post("/identities/remove")
def remove_identity(
    request: Request,
    context: Ctx,
    person: AccountHolder,
    issuer: Annotated[PlainText, Form(max_length=255)] = "",
    subject: Annotated[PlainText, Form(max_length=255)] = "",
) -> Response:
    """Let an identity of a provider sign in to this account no more."""
    now = context.clock()
    try:
        with unit_of_work(context.engine) as session:
            identities.remove(session, person.id, issuer, subject, now)
    except LetheError as error:
        return _again(request, context, person, error, now)
    return _back()


def _own_secret(request: Request, context: Context) -> str:
    return request.cookies.get(session_cookie(context), "")


def _back() -> Response:
    return RedirectResponse("/account", status_code=303)


def _again(request: Request, context: Context, person: User, error: LetheError, now: datetime) -> Response:
    with read_only(context.engine) as session:
        shown = _shown(request, context, session, person, now)
        return shown_again(request, context, "account.html", shown, error, person)


def _shown(
    request: Request, context: Context, session: Session, person: User, now: datetime
) -> dict[str, Any]:
    return {
        **tokens.overview(session, person, _own_secret(request, context), now),
        "oidc": None if context.oidc is None else context.oidc.name,
        "identities": identities.listing(session, person),
        "secret": None,
        "problem": None,
    }
