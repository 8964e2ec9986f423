"""One's own account: its address for notices, and its API tokens."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from app import accounts, auth, tokens
from app.context import Context
from app.db import unit_of_work
from app.dependencies import AccountHolder, Ctx, Now, Reading, Writing
from app.models import Token, User
from app.routes.passwords import confirmed
from app.text import PlainText

router = APIRouter(include_in_schema=False)


@router.get("/account")
def account(request: Request, context: Ctx, session: Reading, person: AccountHolder, now: Now) -> Response:
    """Show the account and its API tokens."""
    return _account(request, context, person, tokens.listing(session, person, now), None)


@router.post("/account/tokens")
def create_token(
    request: Request,
    context: Ctx,
    session: Writing,
    person: AccountHolder,
    now: Now,
    label: Annotated[PlainText, Form(min_length=1, max_length=64)],
) -> Response:
    """Make an API token and show it, this once."""
    secret = auth.issue_token(session, person, "api", label.strip() or "token", now, None)
    return _account(request, context, person, tokens.listing(session, person, now), secret, status=201)


@router.post("/account/tokens/{token_id}/revoke")
def revoke_token(token_id: str, session: Writing, person: AccountHolder, now: Now) -> Response:
    """Make one of one's own tokens worthless."""
    tokens.revoke(session, person, token_id, now)
    return RedirectResponse("/account", status_code=303)


@router.post("/account/email")
def change_email(
    request: Request,
    context: Ctx,
    person: AccountHolder,
    email: Annotated[PlainText, Form(max_length=accounts.MAX_EMAIL)] = "",
    password: Annotated[str, Form(max_length=auth.MAX_PASSWORD)] = "",
) -> Response:
    """Keep another address, or none; the password shows that it is not somebody at an unlocked screen."""
    now = context.clock()
    confirmed(request, context, person, password, now)
    with unit_of_work(context.engine) as session:
        accounts.set_email(session, person.id, email, now)
    return RedirectResponse("/account", status_code=303)


def _account(
    request: Request,
    context: Context,
    person: User,
    found: list[Token],
    secret: str | None,
    status: int = 200,
) -> Response:
    shown = {"tokens": found, "secret": secret}
    return context.renderer.page(request, "account.html", shown, viewer=person, status=status)
