"""Sign in and out, and one's own API tokens."""

from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from app import auth, problems, tokens
from app.context import Context
from app.db import unit_of_work
from app.dependencies import AccountHolder, Ctx, Now, Reading, Visitor, Writing, session_cookie
from app.errors import Busy, NotAuthenticated, TooManyAttempts
from app.models import Token, User
from app.text import PlainText

router = APIRouter(include_in_schema=False)


def local_path(target: str) -> str:
    r"""Return where to go after signing in: a path on this host, never another host.

    >>> local_path("/submissions?x=1"), local_path("//evil.example"), local_path("/\\evil.example")
    ('/submissions?x=1', '/', '/')
    """
    safe = (
        target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    )
    return target if safe else "/"


@router.get("/sign-in")
def sign_in_form(
    request: Request, context: Ctx, visitor: Visitor, target: Annotated[str, Query(alias="next")] = "/"
) -> Response:
    """Show the sign-in form."""
    shown = {"target": local_path(target), "problem": None, "name": ""}
    return context.renderer.page(request, "sign_in.html", shown, viewer=visitor)


@router.post("/sign-in")
def sign_in(
    request: Request,
    context: Ctx,
    name: Annotated[PlainText, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=auth.MAX_PASSWORD)] = "",
    target: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> Response:
    """Check name and password, and set the cookie."""
    now = context.clock()
    lifetime = timedelta(hours=context.settings.session_hours)
    try:
        user = _verified(request, context, name, password, now)
        with unit_of_work(context.engine) as session:
            auth.delete_expired(session, user, now)
            secret = auth.issue_token(session, user, "session", "browser", now, lifetime)
    except (NotAuthenticated, TooManyAttempts, Busy) as error:
        problem = problems.describe(error)
        shown = {"target": local_path(target), "problem": problem, "name": name}
        response = context.renderer.page(request, "sign_in.html", shown, viewer=None, status=problem.status)
        response.headers.update(dict(problem.headers))
        return response
    response = RedirectResponse(local_path(target), status_code=303)
    response.set_cookie(
        session_cookie(context),
        secret,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=context.settings.environment == "production",
    )
    return response


def _verified(request: Request, context: Context, name: str, password: str, now: datetime) -> User:
    """Check a password, unless too many were wrong. Raises TooManyAttempts, NotAuthenticated or Busy."""
    address = request.client.host if request.client else ""
    limits = ((context.failures_by_address, address), (context.failures_by_name, f"{name} {address}"))
    with ExitStack() as uncount:
        for limit, key in limits:
            limit.begin(key, now)
            uncount.callback(limit.take_back, key, now)
        try:
            return auth.verify_password(context.engine, name, password)
        except NotAuthenticated:
            uncount.pop_all()  # these attempts stay counted
            raise


@router.post("/sign-out")
def sign_out(request: Request, context: Ctx, session: Writing, now: Now) -> Response:
    """Forget this browser's session, here and in the browser."""
    name = session_cookie(context)
    if secret := request.cookies.get(name):
        auth.end_session(session, secret, now)
    response = RedirectResponse("/", status_code=303)
    response.delete_cookie(
        name, httponly=True, samesite="lax", secure=context.settings.environment == "production"
    )
    return response


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
