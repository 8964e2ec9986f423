"""Conditional reads."""

import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import Header, Response

IfNoneMatch = Annotated[str | None, Header(description="an ETag that you were given")]


def unless_known(
    etag: str,
    if_none_match: str | None,
    body: Callable[[], str | bytes],
    media: str,
    headers: dict[str, str],
) -> Response:
    """Answer 304 to whom has this ETag; the body is made only for the others."""
    headers = {"ETag": f'"{etag}"', **headers}
    if is_known(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(body(), media_type=media, headers=headers)


def of_body(body: str) -> str:
    """Return the ETag of an answer that costs little to make: what it is when it is made anew."""
    return hashlib.sha256(body.encode()).hexdigest()[:32]


def is_known(etag: str, if_none_match: str | None) -> bool:
    """Return whether a client says that it has this ETag."""
    known = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    return bool(known & {f'"{etag}"', "*"})
