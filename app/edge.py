"""The outermost layer: request ids, security headers, HEAD, what is refused unread, and errors nobody foresaw."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from urllib.parse import unquote_plus, urlsplit

from fastapi import Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import problems
from app.errors import BadRequest, LetheError
from app.log_lines import belonging
from app.text import has_control

log = logging.getLogger("lethe.web")
Answered = Callable[[Scope, int, float], None]
"""Told of each answer as it begins: the request's scope, the status, and the seconds since the request came."""
SLOW_SECONDS = 1.0
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_LIMIT = 1 << 20
_UPLOADS = re.compile(
    r"/api/v1/competitions/[^/]+/submissions|/competitions/[^/]+/submit"
)  # have their own limit
_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not "no-referrer", which would turn the Origin of our own forms into "null"
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Edge:
    """Gives each request an id, refuses cross-site writes, adds the security headers, and tells what was answered."""

    def __init__(self, app: ASGIApp, *, secure: bool, answered: Answered) -> None:
        self.app = app
        self.answered = answered
        headers = dict(_HEADERS)
        if secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one request; anything but HTTP passes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.request_id = _request_id(request.headers)
        with belonging(request_id=request.state.request_id):
            await self._serve(request, scope, receive, send)

    async def _serve(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        inner_scope: Scope = scope
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._tell({**inner_scope, "method": scope["method"]}, message["status"], began)
                own = message.get("headers", [])
                given = {name.lower() for name, _ in own}
                message["headers"] = [
                    *own,
                    (b"x-request-id", request.state.request_id.encode()),
                    *(one for one in self.headers if one[0] not in given),
                ]
            await send(message)

        inner_send: Send = send_with_headers
        if request.method == "HEAD" and not request.url.path.startswith("/api/"):
            inner_scope, inner_send = {**scope, "method": "GET"}, _without_body(send_with_headers)
        try:
            _check(request)
            await self.app(inner_scope, _limited(request, receive), inner_send)
        except (LetheError, HTTPException) as error:
            response = problems.respond(request, problems.describe(error))
            await response(scope, receive, inner_send)
        except Exception as error:
            if started:
                raise
            await problems.unexpected(request, error)(scope, receive, inner_send)

    def _tell(self, scope: Scope, status: int, began: float) -> None:
        """Count every answer; write a line about those that changed something, failed or took long."""
        seconds = time.perf_counter() - began
        self.answered(scope, status, seconds)
        if scope["method"] in SAFE_METHODS and status < 500 and seconds < SLOW_SECONDS:
            return
        fields = {"method": scope["method"], "path": scope["path"], "status": status}
        words = "%(method)s %(path)s answered %(status)d in %(ms).0f ms"
        log.info(
            words,
            {**fields, "ms": 1000 * seconds},
            extra={"fields": {**fields, "seconds": round(seconds, 6)}},
        )


def _without_body(send: Send) -> Send:
    """Send a page's head as it is, its Content-Length too, and nothing of its body."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head


def _check(request: Request) -> None:
    """Raise what can be said before anything else looks at the request."""
    if has_control(request.scope["path"]):
        raise HTTPException(404)
    if has_control(unquote_plus(request.url.query)):
        raise BadRequest("The query holds control characters.", advice="Leave them out.")
    refusal = cross_site(request.method, request.headers)
    if refusal is not None:
        raise problems.CrossSite(refusal, advice=_ADVICE)
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > BODY_LIMIT and not _is_upload(request):
        raise HTTPException(413)


def _is_upload(request: Request) -> bool:
    return _UPLOADS.fullmatch(request.url.path) is not None


def _limited(request: Request, receive: Receive) -> Receive:
    """Count the body as it comes; all but uploads end at BODY_LIMIT."""
    if _is_upload(request):
        return receive
    received = 0

    async def receive_and_count() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > BODY_LIMIT:
            raise HTTPException(413)
        return message

    return receive_and_count


_ADVICE = "Use the form on Lethe's own page, or send an API token in the Authorization header."


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _GOOD_ID.fullmatch(given) else uuid.uuid4().hex


def cross_site(method: str, headers: Headers) -> str | None:
    """Return why an unsafe request may have been sent by another site, or None if it was not.

    A bearer token is never sent by a browser on its own, so such requests pass. For all others the browser
    must have said where the request comes from.
    """
    if method in SAFE_METHODS or headers.get("authorization", "").lower().startswith("bearer "):
        return None
    site = headers.get("sec-fetch-site")
    if site is not None:
        return (
            None if site in {"same-origin", "none"} else f"The browser says that it came from a {site} page."
        )
    origin = headers.get("origin")
    if origin is None:
        return "It carries neither Sec-Fetch-Site nor Origin nor a bearer token."
    return None if urlsplit(origin).netloc == headers.get("host") else f"It came from {origin[:100]}."
