"""Conditional reads."""

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
    known = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    if known & {headers["ETag"], "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body(), media_type=media, headers=headers)
