"""Delivers what is in the outbox: a thread of each web process, of which all may be killed at any time."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app import auth, mail
from app.db import make_engine, read_only, unit_of_work
from app.errors import LetheError
from app.models import Notice, User, Webhook
from app.notices import hooks, outbox
from app.notices.outbox import MAIL, WEBHOOK, Claim
from app.notices.words import Message, message
from app.settings import Settings

LOG = logging.getLogger("lethe.web")
AT_ONCE = 4
_PRUNE_SECONDS = 3600.0


@dataclass(frozen=True)
class _Letter:
    """Where a message goes by mail."""

    to: str
    said: Message


@dataclass(frozen=True)
class _Call:
    """Where a message goes by webhook."""

    url: str
    secret: str
    said: Message


class Deliverer:
    """Tries what is due, a few at a time."""

    def __init__(self, engine: Engine, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._pruned = float("-inf")
        self._channels = [WEBHOOK, *([MAIL] if mail.is_set(settings) else [])]

    def start(self) -> None:
        """Deliver for as long as this process lives."""
        threading.Thread(target=self._for_ever, name="notices", daemon=True).start()

    def _for_ever(self) -> None:
        while True:
            try:
                while self.once():
                    pass
            except Exception:  # the database may be away; the rows wait
                LOG.exception("notices could not be delivered just now")
            time.sleep(self._settings.notice_seconds)

    def once(self) -> int:
        """Try what is due now, one notice of each person; return how many."""
        self._prune()
        now = self._clock()
        with read_only(
            self._engine
        ) as session:  # nearly always there is nothing, and nothing is locked for it
            if not outbox.is_due(session, self._channels, now):
                return 0
        with unit_of_work(self._engine) as session:
            claims = outbox.claim(session, self._channels, now, AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="notice") as pool:
            list(pool.map(self._try, claims))
        return len(claims)

    def _prune(self) -> None:
        if time.monotonic() - self._pruned < _PRUNE_SECONDS:
            return
        with unit_of_work(self._engine) as session:
            outbox.prune(session, self._clock())
        self._pruned = time.monotonic()

    def _try(self, claim: Claim) -> None:
        with read_only(self._engine) as session:
            wanted = self._wanted(session, claim)
        if isinstance(wanted, str):
            with unit_of_work(self._engine) as session:
                outbox.dropped(session, claim, wanted)
            return
        try:
            outcome = self._send(claim, wanted)
        except (mail.MailAway, hooks.HookFailed) as error:
            LOG.info("a notice was not delivered", extra={"fields": {"notice": claim.id, "why": str(error)}})
            self._failed(claim, str(error))
            return
        except Exception as error:  # a defect, of this notice alone: it is given up in the end as others are
            LOG.exception("a notice could not be sent", extra={"fields": {"notice": claim.id}})
            self._failed(claim, f"It could not be sent: {type(error).__name__}.")
            return
        with unit_of_work(self._engine) as session:
            outbox.delivered(session, claim, outcome, self._clock())

    def _failed(self, claim: Claim, why: str) -> None:
        with unit_of_work(self._engine) as session:
            outbox.failed(session, claim, why, self._clock())

    def _wanted(self, session: Session, claim: Claim) -> _Letter | _Call | str:
        """Return where a notice goes and what it says, or why nobody is to be told any more."""
        notice = session.get(Notice, claim.id)
        reader = session.scalar(select(User).where(User.id == claim.user_id).options(auth.WITH_GRANTS))
        if notice is None or reader is None:
            return "It is gone."
        if reader.disabled_at is not None:
            return "The account is disabled."
        try:
            said = message(session, notice, reader, self._settings.base_url)
        except LetheError:
            return "The submission is not yours to see any more."
        if claim.channel == MAIL:
            wants = reader.email is not None and reader.mail_notices
            return _Letter(reader.email or "", said) if wants else "Letters are turned off."
        hook = session.get(Webhook, claim.user_id)
        return "The webhook was removed." if hook is None else _Call(hook.url, hook.secret, said)

    def _send(self, claim: Claim, wanted: _Letter | _Call) -> str:
        if isinstance(wanted, _Letter):
            mail.send(self._settings, wanted.to, wanted.said.subject, wanted.said.text)
            return "sent"
        body = wanted.said.body
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Lethe",
            "Lethe-Notice": claim.id,
            "Lethe-Signature": hooks.signature(wanted.secret, int(self._clock().timestamp()), body),
        }
        private = self._settings.webhook_private_networks
        return f"answered {hooks.post(wanted.url, body, headers, private=private)}"


def deliver(settings: Settings) -> None:
    """Start delivering in this process, over connections of its own."""
    engine = make_engine(settings.url, pooled=False)
    Deliverer(engine, settings, lambda: datetime.now(UTC)).start()
