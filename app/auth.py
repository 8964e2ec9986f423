"""Accounts and tokens. A token's secret is shown once; only its SHA-256 is kept."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import Literal
from uuid import uuid4

from pwdlib import PasswordHash
from sqlalchemy import Engine, delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from app import events
from app.db import read_only
from app.errors import BadRequest, Conflict, NotAuthenticated
from app.limits import Gate
from app.models import Competition, CompetitionOrganiser, Token, User

WITH_GRANTS = (
    selectinload(User.grants).joinedload(CompetitionOrganiser.competition).load_only(Competition.slug)
)
"""What app.access needs of a person besides their row."""
Kind = Literal["session", "api"]
"""A browser's cookie, or what a program sends as a bearer."""

MIN_PASSWORD = 8
MAX_PASSWORD = 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASHER = PasswordHash.recommended()
# a hash takes a third of a second and 64 MiB
_GATE = Gate(places=2, waiting=4, patience=10.0, words="Too many people sign in at once.")


def create_user(session: Session, name: str, password: str, role: str, now: datetime) -> User:
    """Insert a user. Raises BadRequest for a bad name, password or role, Conflict when the name is taken."""
    if not _NAME.fullmatch(name):
        raise BadRequest(
            "A name has 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first."
        )
    check_role(role)
    hashed = _hash(password)
    user = User(id=uuid4().hex, name=name, password_hash=hashed, role=role, created_at=now, grants=[])
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise Conflict(f"The name {name} is taken.") from error
    events.write(session, "user.created", name, now, detail=role)
    return user


def check_role(role: str) -> None:
    """Raise BadRequest unless an account can have this role; organisers are made by competition."""
    if role not in {"participant", "admin"}:
        raise BadRequest("A role is 'participant' or 'admin'.")


def set_password(user: User, password: str) -> None:
    """Replace a user's password. Raises BadRequest for one that is too short or too long."""
    user.password_hash = _hash(password)


def _hash(password: str) -> str:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise BadRequest(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
    return _HASHER.hash(password)


def verify_password(engine: Engine, name: str, password: str) -> User:
    """Return the user of this name and password. Raises NotAuthenticated, or Busy under too many attempts at once.

    An unknown name costs as much as a wrong password. It takes a third of a second, so no connection is held meanwhile.
    """
    with read_only(engine) as session:
        user = session.scalar(select(User).where(User.name == name))
        session.expunge_all()
    with _GATE.enter():
        hashed = user.password_hash if user is not None else _nobody()
        matches = len(password) <= MAX_PASSWORD and _HASHER.verify(password, hashed)
    if user is None or not matches:
        raise NotAuthenticated("The name or the password is wrong.")
    return user


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe())


def issue_token(
    session: Session,
    user: User,
    kind: Kind,
    label: str,
    now: datetime,
    lifetime: timedelta | None,
) -> str:
    """Insert a token and return its secret, "lethe_...", which cannot be had again; None lives for ever."""
    secret = "lethe_" + secrets.token_urlsafe(32)
    token = Token(
        id=uuid4().hex,
        user_id=user.id,
        kind=kind,
        digest=_digest(secret),
        label=label,
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
    )
    session.add(token)
    events.write(session, "token.issued", user.name, now, detail=f"{kind}: {label}")
    session.flush()
    return secret


def user_for_token(session: Session, secret: str, now: datetime, kind: Kind) -> User:
    """Return the user of a live token of this kind. Raises NotAuthenticated."""
    return holder_of(session, secret, now, kind)[0]


def holder_of(session: Session, secret: str, now: datetime, kind: Kind) -> tuple[User, datetime | None]:
    """Return the user of a live token of this kind, and when it expires. Raises NotAuthenticated."""
    alive = or_(Token.expires_at.is_(None), Token.expires_at > now)
    query = (
        select(User, Token.expires_at)
        .join(Token, Token.user_id == User.id)
        .where(Token.digest == _digest(secret), Token.kind == kind, alive)
        .options(WITH_GRANTS)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotAuthenticated(
            "The token is unknown, has expired or was revoked.",
            advice="Sign in again, or make a new token.",
        )
    user, expires_at = found
    return user, expires_at


def end_session(session: Session, secret: str, now: datetime) -> None:
    """Delete the token of a browser's session; an unknown one is no error."""
    found = session.execute(
        select(Token, User.name)
        .join(User, Token.user_id == User.id)
        .where(Token.digest == _digest(secret), Token.kind == "session")
    ).one_or_none()
    if found is not None:
        token, name = found
        session.delete(token)
        events.write(session, "token.revoked", name, now, detail=f"{token.kind}: {token.label}")


def delete_expired(session: Session, user: User, now: datetime) -> None:
    """Delete a user's tokens that are worth nothing any more."""
    session.execute(delete(Token).where(Token.user_id == user.id, Token.expires_at <= now))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
