"""Sign-in through the installation's identity provider, where it has one."""

import hashlib
import hmac
import secrets
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from app import auth, identities
from app.context import Context
from app.db import unit_of_work
from app.dependencies import AccountHolder, Ctx, Visitor
from app.errors import Forbidden, NotFound
from app.models import User
from app.oidc import Provider
from app.routes.forms import signed_in
from app.routes.passwords import confirmed
from app.routes.sign_in import local_path

router = APIRouter(prefix="/sign-in/oidc", include_in_schema=False)
_SECONDS = 600
_ENTER = "enter"


@router.get("")
def begin(context: Ctx, target: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Send the browser to the provider, with a cookie by which it is known when it comes back."""
    secret = secrets.token_urlsafe(32)
    response = RedirectResponse(_provider(context).begin(secret), status_code=303)
    _remember(context, response, secret, _ENTER, target)
    return response


@router.post("/connect")
def connect(
    request: Request,
    context: Ctx,
    person: AccountHolder,
    password: Annotated[str, Form(max_length=auth.MAX_PASSWORD)] = "",
) -> Response:
    """Lead whoever knows the account's password on to the provider, to connect the account.

    By a link on a page: browsers follow no redirect of a form to another site, as our own policy asks of them.
    """
    provider = _provider(context)
    confirmed(request, context, person, password, context.clock())
    secret = secrets.token_urlsafe(32)
    shown = {"provider": provider.name, "onward": provider.begin(secret)}
    response = context.renderer.page(request, "connect.html", shown, viewer=person)
    _remember(context, response, secret, _confirmation(person, secret), "/account")
    return response


@router.get("/callback")
def callback(request: Request, context: Ctx, visitor: Visitor) -> Response:
    """Take the provider's answer, and begin a session."""
    provider, now = _provider(context), context.clock()
    held = request.cookies.get(_cookie(context), "").split(".", 2)
    if len(held) != 3:
        raise Forbidden("This sign-in has taken too long, or began elsewhere.", advice="Start again.")
    secret, wish, target = held
    claims = provider.finish(secret, str(request.url), now)
    with unit_of_work(context.engine) as session:
        user: User | None = None
        if wish != _ENTER:
            identities.connect(session, claims, _still_there(visitor, secret, wish).id, now)
        else:
            user = identities.sign_in(session, claims, now)
    there = local_path(unquote(target))
    response = (
        RedirectResponse(there, status_code=303)
        if user is None
        else signed_in(request, context, user, now, there)
    )
    response.delete_cookie(_cookie(context), httponly=True, samesite="lax", secure=_secure(context))
    return response


def _still_there(visitor: User | None, secret: str, wish: str) -> User:
    if visitor is None:
        raise Forbidden("You are not signed in any more.", advice="Sign in, then connect your account again.")
    if not hmac.compare_digest(wish.encode(), _confirmation(visitor, secret).encode()):
        raise Forbidden("This was not begun by you.", advice="Connect your account on your account page.")
    return visitor


def _confirmation(person: User, secret: str) -> str:
    """Return what only this service can write into the cookie of whoever has typed their password."""
    known = f"{person.id} {person.password_hash}".encode()
    return hmac.new(known, secret.encode(), hashlib.sha256).hexdigest()


def _remember(context: Context, response: Response, secret: str, wish: str, target: str) -> None:
    value = f"{secret}.{wish}.{quote(local_path(target), safe='')}"
    response.set_cookie(
        _cookie(context), value, max_age=_SECONDS, httponly=True, samesite="lax", secure=_secure(context)
    )


def _provider(context: Context) -> Provider:
    if context.oidc is None:
        raise NotFound("People sign in here by name and password.")
    return context.oidc


def _secure(context: Context) -> bool:
    return context.settings.environment == "production"


def _cookie(context: Context) -> str:
    return "__Host-lethe_oidc" if _secure(context) else "lethe_oidc"
