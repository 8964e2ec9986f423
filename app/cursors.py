"""Opaque cursors for lists that are sorted by time, newest first."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from app.errors import BadRequest
from app.text import has_control


@dataclass(frozen=True)
class Position:
    """The last row of a page; the id settles equal times."""

    created_at: datetime
    id: str


def encode(position: Position) -> str:
    """Return the position as text that is safe in a URL."""
    raw = f"{position.created_at.isoformat()}|{position.id}"
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def decode(cursor: str) -> Position:
    """Return the position in a cursor. Raises BadRequest if we did not make it."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, identifier = raw.partition("|")
        created_at = datetime.fromisoformat(moment)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("The cursor is not one of ours.", advice="Start without a cursor.") from error
    if created_at.tzinfo is None or not identifier or has_control(identifier):
        raise BadRequest("The cursor is not one of ours.", advice="Start without a cursor.")
    return Position(created_at, identifier)
