"""Links by which somebody chooses a new password: once, within a day. Only the SHA-256 of a link's secret is kept."""

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from app import accounts, auth, events
from app.db import read_only, unit_of_work
from app.errors import NotFound
from app.evaluations.locks import changed
from app.models import PasswordReset, User

LIFETIME = timedelta(hours=24)
MAILED_PER_HOUR = 3
NOT_GOOD = "This link is not good, or not any more: it was used, replaced, or has expired."
ASK = "Ask for a new one."


def issue(session: Session, user: User, actor: str, now: datetime) -> str:
    """Return the secret of a new link for this account, which cannot be had again."""
    session.execute(
        delete(PasswordReset).where(PasswordReset.user_id == user.id, PasswordReset.expires_at <= now)
    )
    secret = auth.new_secret()
    session.add(
        PasswordReset(
            id=uuid4().hex,
            user_id=user.id,
            digest=auth.digest_of(secret),
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    events.write(session, "user.reset_issued", actor, now, detail=user.name)
    return secret


def whose(session: Session, secret: str, now: datetime) -> User:
    """Return whose password a link may change. Raises NotFound."""
    found = session.scalar(
        select(User)
        .join(PasswordReset, PasswordReset.user_id == User.id)
        .where(
            PasswordReset.digest == auth.digest_of(secret),
            PasswordReset.expires_at > now,
            User.disabled_at.is_(None),
        )
    )
    if found is None:
        raise NotFound(NOT_GOOD, advice=ASK)
    return found


def redeem(engine: Engine, secret: str, password: str, now: datetime) -> User:
    """Give the link's account this password, and end all of its sessions, API tokens and other links.

    Raises NotFound for a link that is not good, and BadRequest for a password that will not do: then the link still is.
    """
    with read_only(engine) as session:
        whose(session, secret, now)
    hashed = auth.hash_password(password)
    with unit_of_work(engine) as session:
        user = whose(session, secret, now)
        if not changed(session, delete(PasswordReset).where(PasswordReset.digest == auth.digest_of(secret))):
            raise NotFound(NOT_GOOD, advice=ASK)
        session.execute(delete(PasswordReset).where(PasswordReset.user_id == user.id))
        accounts.replace_password(session, user, hashed, now)
        return user


def to_mail(session: Session, given: str, now: datetime) -> list[tuple[str, str, str]]:
    """Return address, name and secret of each account that this name or address means and that may be sent a letter.

    An account gets a few letters an hour, however many ask and of whichever web process.
    """
    means = (User.name == given) | (func.lower(User.email) == given.lower())
    query = select(User).where(means, User.email.is_not(None), User.disabled_at.is_(None)).limit(10)
    found = [one for one in session.scalars(query) if _lately(session, one, now) < MAILED_PER_HOUR]
    return [(one.email or "", one.name, issue(session, one, one.name, now)) for one in found]


def _lately(session: Session, user: User, now: datetime) -> int:
    since = now - timedelta(hours=1)
    query = select(func.count(PasswordReset.id)).where(
        PasswordReset.user_id == user.id, PasswordReset.created_at > since
    )
    return session.scalar(query) or 0
