"""What endpoints ask for: context, sessions, the person, and a competition that takes uploads."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app import access, auth
from app.context import Context
from app.db import UnitOfWork, read_only, unit_of_work
from app.errors import Forbidden, NotAuthenticated
from app.models import User

DEVELOPMENT_COOKIE = "lethe_session"
PRODUCTION_COOKIE = (
    "__Host-lethe_session"  # the browser refuses it from anything but https and this very host
)


# Those that only look something up are async: they run at once, without waiting for a thread.


async def get_context(request: Request) -> Context:
    """Return what create_app made."""
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(get_context)]


async def get_now(context: Ctx) -> datetime:
    """Return the moment at which the request's head had arrived; its body may take minutes more."""
    return context.clock()


Now = Annotated[datetime, Depends(get_now)]


def _reading(context: Ctx) -> Iterator[Session]:
    with read_only(context.engine) as session:
        yield session


def _writing(context: Ctx) -> Iterator[UnitOfWork]:
    with unit_of_work(context.engine) as session:
        yield session


# scope="function": the transaction ends before the response is sent, so that a failed commit is an error
# and never a 201. Both take a connection at their first query, in the endpoint's own thread: a request that waits
# for a thread holds none, so that those that run never wait for those that do not.
Reading = Annotated[Session, Depends(_reading, scope="function")]
Writing = Annotated[UnitOfWork, Depends(_writing, scope="function")]


def session_cookie(context: Context) -> str:
    """Return the name of the sign-in cookie in this environment."""
    return PRODUCTION_COOKIE if context.settings.environment == "production" else DEVELOPMENT_COOKIE


async def get_visitor(request: Request, context: Ctx, now: Now) -> User | None:
    """Return who is asking, or None; a bearer token that is not valid is an error, a stale cookie is not."""
    shown = shown_by(request, context)
    if shown is None:
        return None
    await context.changes.fresh()
    try:
        user = context.people.known(*shown, now)
        if user is None:
            user = await run_in_threadpool(context.people.find, *shown, now)
    except NotAuthenticated:
        if shown.kind == "api":
            raise
        return None
    request.state.user = user
    return user


class Shown(NamedTuple):
    """The token that a request shows, which need not be any good."""

    secret: str
    kind: auth.Kind


def shown_by(request: Request, context: Context) -> Shown | None:
    """Return a request's token: a bearer's before a cookie's."""
    bearer = _bearer(request)
    if bearer is not None:
        return Shown(bearer, "api")
    cookie = request.cookies.get(session_cookie(context))
    return None if cookie is None else Shown(cookie, "session")


def _bearer(request: Request) -> str | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


Visitor = Annotated[User | None, Depends(get_visitor)]


async def look_for_changes(context: Ctx) -> None:
    """Look at what has changed, so that what this process keeps in memory may be used."""
    await context.changes.fresh()


async def get_person(visitor: Visitor) -> User:
    """Return who is asking, or raise NotAuthenticated."""
    if visitor is None:
        raise NotAuthenticated(
            "This needs to know who you are.",
            advice="Sign in, or send 'Authorization: Bearer <token>' with a token from your account page.",
        )
    return visitor


Person = Annotated[User, Depends(get_person)]


async def get_account_holder(request: Request, person: Person) -> User:
    """Return who is asking if they signed in with their password: a token must not be able to make another."""
    if _bearer(request) is not None:
        raise Forbidden(
            "An API token cannot manage the account that it belongs to.",
            advice="Sign in with your password, on the sign-in page.",
        )
    return person


AccountHolder = Annotated[User, Depends(get_account_holder)]


async def get_admin(person: Person) -> User:
    """Return the admin who is asking, or raise Forbidden."""
    if not access.is_admin(person):
        raise Forbidden("Only admins may do this.", advice="Ask the organiser.")
    return person


Admin = Annotated[User, Depends(get_admin)]


async def get_organiser(person: Person) -> User:
    """Return who is asking if there is any competition that they organise; which one, the endpoint has to ask."""
    if not access.is_organiser(person):
        raise Forbidden(
            "Only organisers and admins may do this.", advice="Ask an admin to make you organiser."
        )
    return person


Organiser = Annotated[User, Depends(get_organiser)]
