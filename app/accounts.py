"""What changes of an account after it was made, by its owner or by an admin."""

import re
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import auth, events
from app.errors import BadRequest, Conflict, Forbidden, NotFound
from app.models import Identity, PasswordReset, Token, User
from app.text import has_control

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL = re.compile(
    rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+"
)  # one address, as it is: nothing quoted, no list
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
    if len(email) > MAX_EMAIL or not _EMAIL.fullmatch(email):
        raise BadRequest(
            "This is not an e-mail address.", advice="Write it as name@example.org, or leave it empty."
        )
    return email


def change_password(session: Session, user_id: str, hashed: str, kept: str, now: datetime) -> None:
    """Give an account another password; all its sessions end but the one of this secret, and its reset links."""
    user = session.get_one(User, user_id)
    others = (Token.user_id == user.id, Token.kind == "session", Token.digest != auth.digest_of(kept))
    session.execute(delete(Token).where(*others))
    _store_password(session, user, hashed, now)


def replace_password(session: Session, user: User, hashed: str, now: datetime) -> None:
    """Give an account another password, by somebody who did not know the old one: no session or token is left.

    Nor is what was connected at an identity provider, but for whoever has come in by that alone so far.
    """
    session.execute(delete(Token).where(Token.user_id == user.id))
    if user.password_hash:
        session.execute(delete(Identity).where(Identity.user_id == user.id))
    _store_password(session, user, hashed, now)


def _store_password(session: Session, user: User, hashed: str, now: datetime) -> None:
    session.execute(delete(PasswordReset).where(PasswordReset.user_id == user.id))
    user.password_hash = hashed
    events.write(session, "user.password_changed", user.name, now)


def set_role(session: Session, name: str, role: str, actor: str, now: datetime) -> User:
    """Make somebody an admin or a participant. Raises NotFound, BadRequest, Forbidden, or Conflict for oneself."""
    auth.check_role(role)
    user = _another(session, name, actor)
    if user.role != role:
        user.role = role
        events.write(session, "user.role_changed", actor, now, detail=f"{name}: {role}")
    return user


def disable(session: Session, name: str, actor: str, now: datetime) -> User:
    """Let somebody in nowhere: sessions, tokens and reset links end. Raises NotFound, Forbidden, or Conflict for oneself."""
    user = _another(session, name, actor)
    for table in (Token, PasswordReset):
        session.execute(delete(table).where(table.user_id == user.id))
    if user.disabled_at is None:
        user.disabled_at = now
        events.write(session, "user.disabled", actor, now, detail=name)
    return user


def enable(session: Session, name: str, actor: str, now: datetime) -> User:
    """Let somebody sign in again; their tokens do not come back. Raises NotFound."""
    user = by_name(session, name)
    if user.disabled_at is not None:
        user.disabled_at = None
        events.write(session, "user.enabled", actor, now, detail=name)
    return user


def _another(session: Session, name: str, actor: str) -> User:
    """Return an account that is not the actor's own, so that an installation always keeps an admin: the actor.

    All admins are locked, in id order: of two who demote each other at once one is an admin no more when it is their
    turn, and is refused. An actor that is no account is an operator. Raises NotFound, Conflict or Forbidden.
    """
    may = (User.role == "admin", User.disabled_at.is_(None))
    admins = session.scalars(select(User.name).where(*may).order_by(User.id).with_for_update(key_share=True))
    is_admin = actor in admins.all()
    user = by_name(session, name)
    if user.name == actor:
        raise Conflict("This is your own account.", advice="Ask another admin, or an operator.")
    if not is_admin and session.scalar(select(User.id).where(User.name == actor)) is not None:
        raise Forbidden("You are not an admin any more.", advice="Ask another admin, or an operator.")
    return user
