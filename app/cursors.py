"""Opaque cursors: for lists that are sorted by time, newest first, and for short lists that are sorted otherwise."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

from app.errors import BadRequest
from app.text import has_control


@dataclass(frozen=True)
class Position:
    """The last row of a page; the id settles equal times."""

    created_at: datetime
    id: str


Item = TypeVar("Item")
PART_SIZE = 100
"""Items on one page of a short list."""


def encode(position: Position) -> str:
    """Return the position as text that is safe in a URL."""
    return _wrapped(f"{position.created_at.isoformat()}|{position.id}")


def _wrapped(raw: str) -> str:
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def part(
    items: Sequence[Item], path: str, cursor: str | None, key: Callable[[Item], str]
) -> tuple[list[Item], str | None]:
    """Return the items of one page, and the path of the next or None; `key` names an item among the others.

    The list is whole in memory, so this is for lists that stay short. Raises BadRequest for a cursor that is not
    ours, or whose item has gone meanwhile.
    """
    names = [_wrapped(key(item)) for item in items]
    if cursor is not None and cursor not in names:
        raise BadRequest("The cursor is not one of ours.", advice="Start without a cursor.")
    start = 0 if cursor is None else names.index(cursor) + 1
    end = start + PART_SIZE
    following = f"{path}?{urlencode({'cursor': names[end - 1]})}" if len(items) > end else None
    return list(items[start:end]), following


def decode(cursor: str) -> Position:
    """Return the position in a cursor. Raises BadRequest if we did not make it."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, identifier = raw.partition("|")
        created_at = datetime.fromisoformat(moment)
        created_at.astimezone(UTC)  # in which there may be no such time
    except (binascii.Error, ValueError, OverflowError) as error:
        raise BadRequest("The cursor is not one of ours.", advice="Start without a cursor.") from error
    if created_at.tzinfo is None or not identifier or has_control(identifier):
        raise BadRequest("The cursor is not one of ours.", advice="Start without a cursor.")
    return Position(created_at, identifier)
