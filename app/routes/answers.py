"""How the OpenAPI document describes answers: successes, and errors with an example each."""

from typing import Any

from app.errors import fault_of
from app.schemas.problems import ProblemOut

Words = tuple[str, str, str, str]
"""Code, title, detail and advice."""

TOO_MANY_STREAMS: Words = (
    "too_many_streams",
    "You follow too many submissions at once",
    "5 streams of yours are open already.",
    "Close a page or program that follows a submission, or poll instead.",
)
NO_LOG: Words = (
    "not_found",
    "Not found",
    "This submission has no log: its smoke run has not begun yet.",
    "",
)
HIDDEN_BOARD: Words = (
    "not_found",
    "Not found",
    "The private leaderboard is hidden until the results are revealed.",
    "See the public one, without split=private.",
)
NOT_READY: Words = (
    "not_ready",
    "Not ready",
    "The database does not answer.",
    "The service's log has the cause.",
)
_CROSS_SITE: Words = (
    "cross_site_request",
    "This request did not come from Lethe's own pages",
    "It carries neither Sec-Fetch-Site nor Origin nor a bearer token.",
    "Use the form on Lethe's own page, or send an API token in the Authorization header.",
)
_BODY_TOO_LARGE: Words = (
    "body_too_large",
    "The request is too large",
    "The body of the request is larger than this address takes.",
    "",
)
_PROBLEMS: dict[int, Words] = {
    400: (
        "bad_request",
        "The request cannot be understood",
        "The query holds control characters.",
        "Leave them out.",
    ),
    401: (
        "not_authenticated",
        "Sign in or send a valid token",
        "The token is not valid.",
        "Make a new one on your account page.",
    ),
    403: ("forbidden", "You may not do this", "Only admins may do this.", "Ask the organiser."),
    404: ("not_found", "Not found", "There is no such submission.", ""),
    408: (
        "upload_timeout",
        "The upload took too long",
        "It had not arrived after 10 min.",
        "Send a smaller bundle, or send it over a faster connection.",
    ),
    409: (
        "competition_closed",
        "The competition takes no submissions now",
        "It closed at 2026-03-01 00:00 UTC.",
        "",
    ),
    413: (
        "bundle_too_large",
        "The upload is larger than the competition allows.",
        "The upload is over the limit of 10,000,000 bytes.",
        "Leave out data, checkpoints and caches.",
    ),
    422: (
        "invalid_request",
        "The request is not as it must be",
        "query.limit: Input should be greater than or equal to 1",
        "See the operation's description in /api/v1/openapi.json.",
    ),
    429: (
        "quota_exhausted",
        "Your quota is used up",
        "5 of 5 submissions of this day are used.",
        "Come back after 00:00 UTC.",
    ),
    500: (
        "internal_error",
        "Something broke on our side",
        "The request could not be completed.",
        "Try again.",
    ),
    503: (
        "busy",
        "Too busy just now",
        "Too much is asked of the service at once.",
        "Try again after Retry-After seconds.",
    ),
}
_RETRY_AFTER = {
    "Retry-After": {"description": "seconds to wait", "required": True, "schema": {"type": "integer"}}
}
_LOCATION = {"Location": {"description": "where it is now", "required": True, "schema": {"type": "string"}}}
_POLLED = {
    "ETag": {"description": "for If-None-Match", "required": True, "schema": {"type": "string"}},
    "Lethe-Poll-Interval": {
        "description": "seconds to wait before the next look",
        "required": True,
        "schema": {"type": "integer"},
    },
}


def problems(*statuses: int, unsafe: bool = False, **replaced: Words) -> dict[int | str, dict[str, Any]]:
    """Return the error responses of an operation; `s409=(code, title, detail, advice)` replaces an example.

    `unsafe` operations change something, so that they refuse what another site made a browser send.
    """
    wanted = {*statuses, 400, 422, 500, 503}
    found = {status: [replaced.get(f"s{status}", _PROBLEMS[status])] for status in wanted}
    if unsafe:
        found.setdefault(403, []).append(_CROSS_SITE)
        found.setdefault(413, [_BODY_TOO_LARGE])
    return {status: _response(status, words) for status, words in sorted(found.items())}


def _response(status: int, several: list[Words]) -> dict[str, Any]:
    content = {
        "schema": ProblemOut.model_json_schema(),
        "examples": {words[0]: {"summary": words[1], "value": _problem(status, words)} for words in several},
    }
    return {
        "description": "; or: ".join(words[1] for words in several),
        "content": {"application/problem+json": content},
        **({"headers": _RETRY_AFTER} if status in {429, 503} else {}),
    }


def _problem(status: int, words: Words) -> dict[str, Any]:
    code, title, detail, advice = words
    return {
        "type": f"/problems#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "advice": advice,
        "fault": fault_of(status, code).value,
        "request_id": "9f1c2b3a4d5e6f708192a3b4c5d6e7f8",
        "instance": "/api/v1/...",
    }


def ok(description: str, example: object, media: str = "application/json") -> dict[str, Any]:
    """Return a success response with an example."""
    return {"description": description, "content": {media: {"example": example}}}


def created(description: str, example: object) -> dict[str, Any]:
    """Return a 201 with an example; `Location` leads to what was made."""
    return ok(description, example) | {"headers": _LOCATION}


def polled(description: str, example: object) -> dict[int | str, dict[str, Any]]:
    """Return the answers of something that is asked for again and again: whole with an ETag, or 304."""
    return {
        200: ok(description, example) | {"headers": _POLLED},
        304: {"description": "Unchanged since the ETag in If-None-Match", "headers": _POLLED},
    }


def printed(example: str) -> dict[int | str, dict[str, Any]]:
    """Return the answers of a log, which may grow; only then does it say when to ask again."""
    status = {"description": "the run's", "required": True, "schema": {"type": "string"}}
    interval = _POLLED["Lethe-Poll-Interval"] | {"required": False}
    headers = {"ETag": _POLLED["ETag"], "Lethe-Run-Status": status, "Lethe-Poll-Interval": interval}
    return {
        200: ok("What it has printed", example, "text/plain") | {"headers": headers},
        304: {"description": "Unchanged since the ETag in If-None-Match", "headers": headers},
    }
