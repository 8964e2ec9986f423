"""Who holds which token, as this process has lately found: polls would ask for little else."""

import hashlib
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine

from app import auth, tokens
from app.auth import Kind
from app.changes import Changes
from app.db import DATABASE_AWAY, read_only, unit_of_work
from app.models import User

log = logging.getLogger("lethe.web")
_MOST = 10_000
SEEN_EVERY = timedelta(hours=1)
TRUST = timedelta(seconds=10)
"""After so long the database is asked again, whatever the event log says."""


@dataclass(frozen=True)
class _Holder:
    user: User
    expires_at: datetime | None
    version: int
    asked_at: datetime


@dataclass(frozen=True)
class People:
    """Token holders, forgotten as soon as any token or account is seen to have changed."""

    engine: Engine
    changes: Changes
    _kept: dict[bytes, _Holder] = field(default_factory=dict)

    def known(self, secret: str, kind: Kind, now: datetime) -> User | None:
        """Return the user of a token that was found alive and still is; None says to `find` out."""
        kept = self._kept.get(_key(secret, kind))
        if kept is None or kept.version != self.changes.people or now - kept.asked_at > TRUST:
            return None
        return kept.user if kept.expires_at is None or kept.expires_at > now else None

    def find(self, secret: str, kind: Kind, now: datetime) -> User:
        """Ask the database. Raises NotAuthenticated."""
        version = self.changes.people  # before the query: at worst, what is newer is asked for once more
        with read_only(self.engine) as session:
            found = auth.holder_of(session, secret, now, kind)
            session.expunge(found.user)
        self._note(found, now)
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[_key(secret, kind)] = _Holder(found.user, found.expires_at, version, now)
        return found.user

    def _note(self, found: auth.Holder, now: datetime) -> None:
        """Write down that a token is in use, once an hour at most. Nothing is kept by it, so there is no event."""
        if found.seen_at is not None and now - found.seen_at < SEEN_EVERY:
            return
        try:
            with unit_of_work(self.engine) as session:
                tokens.seen(session, found.token_id, now)
        except DATABASE_AWAY:
            log.info("when a token was last seen could not be written", exc_info=True)


def _key(secret: str, kind: Kind) -> bytes:
    """No secret is kept in memory longer than its request."""
    return hashlib.sha256(f"{kind}:{secret}".encode("utf-8", "surrogatepass")).digest()
