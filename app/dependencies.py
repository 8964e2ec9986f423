"""What endpoints ask for: context, sessions, the person, and a competition that takes uploads."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app import auth
from app.context import Context
from app.db import UnitOfWork, read_only, unit_of_work
from app.errors import Forbidden, NotAuthenticated
from app.models import User

DEVELOPMENT_COOKIE = "lethe_session"
PRODUCTION_COOKIE = (
    "__Host-lethe_session"  # the browser refuses it from anything but https and this very host
)


def get_context(request: Request) -> Context:
    """Return what create_app made."""
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(get_context)]


def get_now(context: Ctx) -> datetime:
    """Return one moment for the whole request."""
    return context.clock()


Now = Annotated[datetime, Depends(get_now)]


def _reading(context: Ctx) -> Iterator[Session]:
    with read_only(context.engine) as session:
        yield session


def _writing(context: Ctx) -> Iterator[UnitOfWork]:
    with unit_of_work(context.engine) as session:
        yield session


# scope="function": the transaction ends before the response is sent, so that a failed commit is an error
# and never a 201.
Reading = Annotated[Session, Depends(_reading, scope="function")]
Writing = Annotated[UnitOfWork, Depends(_writing, scope="function")]


def session_cookie(context: Context) -> str:
    """Return the name of the sign-in cookie in this environment."""
    return PRODUCTION_COOKIE if context.settings.environment == "production" else DEVELOPMENT_COOKIE


def get_visitor(request: Request, context: Ctx, now: Now) -> User | None:
    """Return who is asking, or None; a bearer token that is not valid is an error, a stale cookie is not."""
    secret = _bearer(request)
    if secret is None and (secret := request.cookies.get(session_cookie(context))) is None:
        return None
    try:
        with read_only(context.engine) as session:
            user = auth.user_for_token(session, secret, now)
            session.expunge(user)
    except NotAuthenticated:
        if _bearer(request) is not None:
            raise
        return None
    request.state.user = user
    return user


def _bearer(request: Request) -> str | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


Visitor = Annotated[User | None, Depends(get_visitor)]


def get_person(visitor: Visitor) -> User:
    """Return who is asking, or raise NotAuthenticated."""
    if visitor is None:
        raise NotAuthenticated(
            "This needs to know who you are.",
            advice="Sign in, or send 'Authorization: Bearer <token>' with a token from your account page.",
        )
    return visitor


Person = Annotated[User, Depends(get_person)]


def get_admin(person: Person) -> User:
    """Return the admin who is asking, or raise Forbidden."""
    if person.role != "admin":
        raise Forbidden("Only admins may do this.", advice="Ask the organiser.")
    return person


Admin = Annotated[User, Depends(get_admin)]
