"""Accounts and tokens. A token's secret is shown once; only its SHA-256 is kept."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import Literal, NamedTuple
from uuid import uuid4

from pwdlib import PasswordHash
from sqlalchemy import Engine, delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from app import events
from app.db import read_only
from app.errors import BadRequest, Conflict, Forbidden, NotAuthenticated
from app.limits import Gate
from app.models import Competition, CompetitionOrganiser, Team, Token, User
from app.teams import names

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
    check_name(name)
    check_role(role)
    return insert_user(session, name, _hash(password), role, now)


def insert_user(
    session: Session, name: str, hashed: str, role: str, now: datetime, *, email: str | None = None
) -> User:
    """Insert a user whose name and role were checked, with a hash, or "" for none.

    Raises Conflict when the name is taken: by an account, or by a team, whose
    entries would look like this one's, capitals aside.
    """
    if is_taken(session, name):
        raise Conflict(f"The name {name} is taken.", advice="Choose another name.")
    user = User(
        id=uuid4().hex,
        name=name,
        password_hash=hashed,
        role=role,
        email=email,
        created_at=now,
        grants=[],
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise Conflict(f"The name {name} is taken.") from error
    events.write(session, "user.created", name, now, detail=role)
    return user


def is_taken(session: Session, name: str) -> bool:
    """Return whether an account or a team has a name that is the same but for capitals: a board could show both."""
    account, team = (
        select(User.id).where(User.name_key == name.lower()),
        select(Team.id).where(Team.name_key == names.key(name)),
    )
    return bool(session.scalar(select(or_(account.exists(), team.exists()))))


def check_name(name: str) -> None:
    """Raise BadRequest unless an account can have this name."""
    if not _NAME.fullmatch(name):
        raise BadRequest(
            "A name has 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first."
        )


def check_role(role: str) -> None:
    """Raise BadRequest unless an account can have this role; organisers are made by competition."""
    if role not in {"participant", "admin"}:
        raise BadRequest("A role is 'participant' or 'admin'.")


def set_password(user: User, password: str) -> None:
    """Replace a user's password. Raises BadRequest for one that is too short or too long."""
    user.password_hash = _hash(password)


def hash_password(password: str) -> str:
    """Return a password's hash, after waiting for a turn. Raises BadRequest for one that will not do, or Busy."""
    _check_password(password)
    with _GATE.enter():
        return _HASHER.hash(password)


def _check_password(password: str) -> None:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise BadRequest(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")


def _hash(password: str) -> str:
    _check_password(password)
    return _HASHER.hash(password)


def verify_password(engine: Engine, name: str, password: str) -> User:
    """Return the user of this name and password.

    Raises NotAuthenticated, Forbidden for an account that is disabled, or Busy under too many attempts at once.

    An unknown name costs as much as a wrong password. It takes a third of a second, so no connection is held meanwhile.
    """
    with read_only(engine) as session:
        user = session.scalar(select(User).where(User.name == name))
        session.expunge_all()
    with _GATE.enter():
        hashed = user.password_hash if user is not None and user.password_hash else _nobody()
        matches = len(password) <= MAX_PASSWORD and _HASHER.verify(password, hashed)
    if user is None or not matches:
        raise NotAuthenticated("The name or the password is wrong.")
    if user.disabled_at is not None:  # only whoever knows the password hears of it
        raise Forbidden("This account is disabled.", advice="Ask the organiser why.")
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
    secret = new_secret()
    token = Token(
        id=uuid4().hex,
        user_id=user.id,
        kind=kind,
        digest=digest_of(secret),
        label=label,
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
    )
    session.add(token)
    events.write(session, "token.issued", user.name, now, detail=f"{kind}: {label}")
    session.flush()
    return secret


def new_secret() -> str:
    """Return what nobody can guess."""
    return "lethe_" + secrets.token_urlsafe(32)


class Holder(NamedTuple):
    """Whose a token is, when it expires, and when it was last seen, to the hour."""

    user: User
    token_id: str
    expires_at: datetime | None
    seen_at: datetime | None


def holder_of(session: Session, secret: str, now: datetime, kind: Kind) -> Holder:
    """Return the holder of a live token of this kind, who is not disabled. Raises NotAuthenticated."""
    alive = or_(Token.expires_at.is_(None), Token.expires_at > now)
    query = (
        select(User, Token.id, Token.expires_at, Token.seen_at)
        .join(Token, Token.user_id == User.id)
        .where(Token.digest == digest_of(secret), Token.kind == kind, alive, User.disabled_at.is_(None))
        .options(WITH_GRANTS)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotAuthenticated(
            "The token is unknown, has expired or was revoked.",
            advice="Sign in again, or make a new token.",
        )
    return Holder(*found)


def end_session(session: Session, secret: str, now: datetime) -> None:
    """Delete the token of a browser's session; an unknown one is no error."""
    found = session.execute(
        select(Token, User.name)
        .join(User, Token.user_id == User.id)
        .where(Token.digest == digest_of(secret), Token.kind == "session")
    ).one_or_none()
    if found is not None:
        token, name = found
        session.delete(token)
        events.write(session, "token.revoked", name, now, detail=f"{token.kind}: {token.label}")


def delete_expired(session: Session, user: User, now: datetime) -> None:
    """Delete a user's tokens that are worth nothing any more."""
    session.execute(delete(Token).where(Token.user_id == user.id, Token.expires_at <= now))


def digest_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
