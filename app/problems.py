"""Errors as people and programs meet them: RFC 9457 problem+json for the API, a page in the same words elsewhere."""

import logging
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from app.context import Context
from app.db import DATABASE_AWAY
from app.dependencies import shown_by
from app.errors import BadRequest, Busy, Forbidden, LetheError, NotAuthenticated, NotFound, fault_of
from app.reasons import Fault
from app.storage import StorageAway

log = logging.getLogger("lethe.web")

_FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics")
_INVALID = "The request is not as it must be"
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "unsupported_media_type"}


class CrossSite(Forbidden):
    """An unsafe request with a cookie's power that did not come from our own pages."""

    code = "cross_site_request"
    title = "This request did not come from Lethe's own pages"


@dataclass(frozen=True)
class Problem:
    """What an error says, however it is shown."""

    status: int
    code: str
    title: str
    detail: str
    advice: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def fault(self) -> Fault:
        """Whose doing it was."""
        return fault_of(self.status, self.code)


UNEXPECTED = Problem(
    500,
    "internal_error",
    "Something broke on our side",
    "The request could not be completed. Nothing that was not confirmed has been saved.",
    "Try again; if it happens again, tell the organiser the request id.",
)


def describe(error: Exception) -> Problem:
    """Return the problem that an error stands for; an unexpected one says nothing of its inside."""
    match error:
        case LetheError():
            return Problem(error.status, error.code, error.title, error.detail, error.advice, _headers(error))
        case RequestValidationError():
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            return Problem(
                422,
                "invalid_request",
                _INVALID,
                f"{where}: {first['msg']}",
                "See the operation's description in /api/v1/openapi.json.",
            )
        case HTTPException():
            status, headers = error.status_code, tuple((error.headers or {}).items())
            code = _CODES.get(status, HTTPStatus(status).phrase.lower().replace(" ", "_"))
            return Problem(status, code, _title(status), _sentence(status), headers=headers)
    return UNEXPECTED


def _headers(error: LetheError) -> tuple[tuple[str, str], ...]:
    headers = []
    if error.retry_after is not None:
        headers.append(("Retry-After", str(error.retry_after)))
    if isinstance(error, NotAuthenticated):
        headers.append(("WWW-Authenticate", 'Bearer realm="lethe"'))
    return tuple(headers)


def _title(status: int) -> str:
    return {
        400: BadRequest.title,
        404: NotFound.title,
        405: "Not possible at this address",
        413: "The request is too large",
    }.get(status, HTTPStatus(status).phrase)


def _sentence(status: int) -> str:
    return {
        400: "The body of the request cannot be read.",
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
        413: "The body of the request is larger than this address takes.",
    }.get(status, HTTPStatus(status).description or "The request was refused.")


def respond(request: Request, problem: Problem) -> Response:
    """Return the problem as JSON to programs, else as a page (or the way to sign in)."""
    if request.url.path.startswith(_FOR_PROGRAMS):
        return _as_json(request, problem)
    if problem.code == NotAuthenticated.code and request.method in {"GET", "HEAD"}:
        return RedirectResponse(f"/sign-in?next={quote(_local(request), safe='')}", status_code=303)
    return _as_page(request, problem)


def _local(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _as_json(request: Request, problem: Problem) -> Response:
    body = {
        "type": f"/problems#{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "advice": problem.advice,
        "fault": problem.fault,
        "request_id": request_id(request),
        "instance": request.url.path,
    }
    headers = {"Cache-Control": "no-store", **dict(problem.headers)}
    return JSONResponse(body, problem.status, headers=headers, media_type="application/problem+json")


def _as_page(request: Request, problem: Problem) -> Response:
    context: Context = request.app.state.context
    viewer = getattr(request.state, "user", None)
    shown = {
        "problem": problem,
        "request_id": request_id(request),
        "unasked": viewer is None
        and shown_by(request, context) is not None,  # it got no further than the edge
    }
    response = context.renderer.page(request, "error.html", shown, viewer=viewer, status=problem.status)
    response.headers.update(dict(problem.headers))
    return response


def request_id(request: Request) -> str:
    """Return the id that the edge gave this request."""
    return str(getattr(request.state, "request_id", ""))


def _handle(request: Request, error: Exception) -> Response:
    return respond(request, describe(error))


def database_away(request: Request, error: Exception) -> Response:
    """Log that the database is away, and ask to come back."""
    log.warning("request %s found no database: %s", request_id(request), error)
    busy = Busy(
        "The database does not answer just now. Nothing that was not confirmed has been saved.",
        advice="Try again in a few seconds.",
        retry_after=5,
    )
    return respond(request, describe(busy))


def _handle_storage_away(request: Request, error: Exception) -> Response:
    log.warning("request %s found no storage: %s", request_id(request), error)
    busy = Busy(
        "The storage does not answer just now. Nothing that was not confirmed has been saved.",
        advice="Try again in a few seconds.",
        retry_after=5,
    )
    return respond(request, describe(busy))


def install(app: FastAPI) -> None:
    """Answer every error of the application in these words."""
    for kind in (LetheError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _handle)
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, database_away)
    app.add_exception_handler(StorageAway, _handle_storage_away)


def unexpected(request: Request, error: Exception) -> Response:
    """Log what nobody foresaw, with the request id, and answer without its inside."""
    log.error(
        "request %s failed: %s %s", request_id(request), request.method, request.url.path, exc_info=error
    )
    return respond(request, UNEXPECTED)


def catalogue() -> list[Problem]:
    """Return every error that is no rejection of a bundle, once for each code, with what it is called."""
    found = {UNEXPECTED.code: UNEXPECTED}
    kinds = list(LetheError.__subclasses__())
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind.code != LetheError.code:
            found[kind.code] = Problem(kind.status, kind.code, kind.title, "")
    for status, code in _CODES.items():
        found.setdefault(code, Problem(status, code, _title(status), _sentence(status)))
    found["invalid_request"] = Problem(422, "invalid_request", _INVALID, "")
    return sorted(found.values(), key=lambda one: (one.status, one.code))
