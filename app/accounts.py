"""What changes of an account after it was made, by its owner or by an admin."""

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import events
from app.errors import BadRequest, NotFound
from app.models import User
from app.text import has_control

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
MAX_EMAIL = 254


def by_name(session: Session, name: str) -> User:
    """Return the account of this name. Raises NotFound."""
    found = None if has_control(name) else session.scalar(select(User).where(User.name == name))
    if found is None:
        raise NotFound(f"There is no account named {name[:64]!r}.")
    return found


def set_email(session: Session, user_id: str, email: str, now: datetime) -> None:
    """Keep where notices go; nothing at all means nowhere. Raises BadRequest for what is no address."""
    user = session.get_one(User, user_id)
    user.email = checked_email(email)
    events.write(session, "user.email_changed", user.name, now)


def checked_email(email: str) -> str | None:
    """Return an address without spaces around it, None for an empty one. Raises BadRequest.

    >>> checked_email(" ada@example.org "), checked_email("")
    ('ada@example.org', None)
    """
    email = email.strip()
    if not email:
        return None
    if len(email) > MAX_EMAIL or not _EMAIL.fullmatch(email) or has_control(email) or not email.isascii():
        raise BadRequest(
            "This is not an e-mail address.", advice="Write it as name@example.org, or leave it empty."
        )
    return email
