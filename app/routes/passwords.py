"""A password, checked on behalf of a request: as often wrong as the limits allow."""

from contextlib import ExitStack
from datetime import datetime

from fastapi import Request

from app import auth
from app.context import Context
from app.errors import Forbidden, NotAuthenticated
from app.models import User
from app.routes.forms import address_of


def verified(request: Request, context: Context, name: str, password: str, now: datetime) -> User:
    """Check a password, unless too many were wrong. Raises TooManyAttempts, NotAuthenticated or Busy."""
    address = address_of(request)
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


def confirmed(request: Request, context: Context, person: User, password: str, now: datetime) -> None:
    """Make sure that it is the account's holder at the screen, if the account has a password.

    Raises Forbidden, TooManyAttempts or Busy.
    """
    if not person.password_hash:
        return
    try:
        verified(request, context, person.name, password, now)
    except NotAuthenticated as error:
        raise Forbidden("That is not your password.", advice="Type the one that you sign in with.") from error
