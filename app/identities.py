"""Accounts of people whom an identity provider signs in, by issuer and subject and by nothing else."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import accounts, auth, events
from app.errors import BadRequest, Conflict, Forbidden, NotFound
from app.models import Identity, User
from app.oidc import Claims

_MOST_OF_A_NAME = 1000


def sign_in(session: Session, claims: Claims, now: datetime) -> User:
    """Return the account of this identity; the first time, a new one. Raises Forbidden for one that is disabled."""
    user = _known(session, claims)
    if user is None:
        user = _new(session, claims, now)
        _link(session, claims, user, now)
    if user.disabled_at is not None:
        raise Forbidden("This account is disabled.", advice="Ask the organiser why.")
    return user


def connect(session: Session, claims: Claims, user_id: str, now: datetime) -> None:
    """Let this identity sign in to an account that there is. Raises Conflict when it is another's already."""
    known = _known(session, claims)
    if known is not None and known.id != user_id:
        raise Conflict(
            "This identity signs in to another account here.", advice="Sign out, then sign in by it."
        )
    if known is None:
        _link(session, claims, session.get_one(User, user_id), now)


def listing(session: Session, viewer: User) -> Sequence[Identity]:
    """Return by which identities somebody can sign in, the oldest first."""
    query = select(Identity).where(Identity.user_id == viewer.id)
    return session.scalars(query.order_by(Identity.created_at, Identity.subject)).all()


def remove(session: Session, user_id: str, issuer: str, subject: str, now: datetime) -> None:
    """Let an identity sign in to this account no more. Raises NotFound, or Conflict for the only way in."""
    query = select(User).where(User.id == user_id).with_for_update(key_share=True)
    user = session.scalars(query.execution_options(populate_existing=True)).one()
    own = listing(session, user)
    found = next((one for one in own if (one.issuer, one.subject) == (issuer, subject)), None)
    if found is None:
        raise NotFound("Your account has no such identity.")
    if len(own) == 1 and not user.password_hash:
        raise Conflict(
            "This is your only way to sign in.", advice="Ask for a link to choose a password first."
        )
    session.delete(found)
    events.write(session, "user.unlinked", user.name, now, detail=issuer)


def _known(session: Session, claims: Claims) -> User | None:
    return session.scalar(
        select(User)
        .join(Identity, Identity.user_id == User.id)
        .where(Identity.issuer == claims.issuer, Identity.subject == claims.subject)
    )


def _link(session: Session, claims: Claims, user: User, now: datetime) -> None:
    row = Identity(issuer=claims.issuer, subject=claims.subject, user_id=user.id, created_at=now)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:  # two tabs
        raise Conflict("You signed in twice at once.", advice="Try again.") from error
    events.write(session, "user.linked", user.name, now, detail=claims.issuer)


def _new(session: Session, claims: Claims, now: datetime) -> User:
    """Make an account without a password, under a name that is free."""
    base = plain_name(claims.name or claims.email.partition("@")[0])
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, _MOST_OF_A_NAME))
    name = next(name for name in names if not auth.is_taken(session, name))
    try:
        email = accounts.checked_email(claims.email)
    except BadRequest:
        email = None
    return auth.insert_user(session, name, "", "participant", now, email=email)


def plain_name(given: str) -> str:
    """Return a name that an account can have, as like the given one as can be.

    >>> plain_name("Ada Lovelace"), plain_name("ada@example.org"), plain_name("...")
    ('Ada-Lovelace', 'ada', 'member')
    """
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", given.partition("@")[0])
    return words.strip("-._")[:48] or "member"
