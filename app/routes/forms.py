"""What forms of people who are not signed in have in common: whence they come, and the form again with what was wrong."""

import ipaddress
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from app import auth, problems
from app.context import Context
from app.db import unit_of_work
from app.dependencies import session_cookie
from app.errors import LetheError
from app.models import User


def address_of(request: Request) -> str:
    """Return the address that a request comes from, by which attempts are counted."""
    return counted_as(request.client.host if request.client else "")


def counted_as(host: str) -> str:
    """Return what an address is counted by: of IPv6 the network, for whoever has one has all of its addresses.

    >>> counted_as("2001:db8:1:2:3:4:5:6"), counted_as("::ffff:192.0.2.7"), counted_as("192.0.2.7")
    ('2001:db8:1:2::/64', '192.0.2.7', '192.0.2.7')
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def shown_again(
    request: Request,
    context: Context,
    template: str,
    shown: Mapping[str, Any],
    error: LetheError,
    viewer: User | None = None,
) -> Response:
    """Show a form again as it was filled in, with what is wrong above it."""
    problem = problems.describe(error)
    shown = {**shown, "problem": problem}
    response = context.renderer.page(request, template, shown, viewer=viewer, status=problem.status)
    response.headers.update(dict(problem.headers))
    return response


def signed_in(request: Request, context: Context, user: User, now: datetime, target: str) -> Response:
    """Begin a session, and lead on to a path of this host."""
    lifetime = timedelta(hours=context.settings.session_hours)
    browser = browser_name(request.headers.get("user-agent", ""))
    with unit_of_work(context.engine) as session:
        auth.delete_expired(session, user, now)
        secret = auth.issue_token(session, user, "session", browser, now, lifetime)
    response = RedirectResponse(target, status_code=303)
    response.set_cookie(
        session_cookie(context),
        secret,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=context.settings.environment == "production",
    )
    return response


_BROWSERS = {"Firefox/": "Firefox", "Edg/": "Edge", "OPR/": "Opera", "Chrome/": "Chrome", "Safari/": "Safari"}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def browser_name(agent: str) -> str:
    """Return what a person may know a browser of theirs by.

    >>> browser_name("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), browser_name("?")
    ('Firefox on Linux', 'browser')
    """
    browser = next((name for mark, name in _BROWSERS.items() if mark in agent), "browser")
    system = next((name for mark, name in _SYSTEMS.items() if mark in agent), "")
    return f"{browser} on {system}" if system else browser
