"""Sign-in through the installation's identity provider, where it has one."""

import secrets
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from app import identities
from app.context import Context
from app.db import unit_of_work
from app.dependencies import Ctx, Visitor
from app.errors import Forbidden, NotFound
from app.models import User
from app.oidc import Provider
from app.routes.forms import signed_in
from app.routes.sign_in import local_path

router = APIRouter(prefix="/sign-in/oidc", include_in_schema=False)
_SECONDS = 600


@router.get("")
def begin(
    request: Request, context: Ctx, visitor: Visitor, target: Annotated[str, Query(alias="next")] = "/"
) -> Response:
    """Send the browser to the provider, with a cookie by which it is known when it comes back.

    Somebody who is signed in and comes from our own page wants to connect their account.
    """
    url_secret = secrets.token_urlsafe(32)
    connecting = visitor is not None and request.headers.get("sec-fetch-site") == "same-origin"
    response = RedirectResponse(_provider(context).begin(url_secret), status_code=303)
    value = f"{url_secret}.{'connect' if connecting else 'enter'}.{quote(local_path(target), safe='')}"
    response.set_cookie(
        _cookie(context), value, max_age=_SECONDS, httponly=True, samesite="lax", secure=_secure(context)
    )
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
        if wish == "connect":
            identities.connect(session, claims, _still_there(visitor).id, now)
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


def _still_there(visitor: User | None) -> User:
    if visitor is None:
        raise Forbidden("You are not signed in any more.", advice="Sign in, then connect your account again.")
    return visitor


def _provider(context: Context) -> Provider:
    if context.oidc is None:
        raise NotFound("People sign in here by name and password.")
    return context.oidc


def _secure(context: Context) -> bool:
    return context.settings.environment == "production"


def _cookie(context: Context) -> str:
    return "__Host-lethe_oidc" if _secure(context) else "lethe_oidc"
