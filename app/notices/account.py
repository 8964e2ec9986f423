"""What a person says about their notices: letters or none, and a webhook."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import events
from app.errors import BadRequest, Conflict, NotFound, TooManyAttempts
from app.models import Notice, User, Webhook
from app.notices import hooks, outbox

SHOWN = 20
MOST_TESTS = 3
"""Tests of one person that wait to be delivered."""
TESTS_PER_HOUR = 20
"""Of one person, in any hour: their rows are counted, so that it holds over all processes."""
_HOUR = timedelta(hours=1)


def set_letters(session: Session, user_id: str, *, wanted: bool, now: datetime) -> None:
    """Turn letters on or off."""
    user = session.get_one(User, user_id)
    user.mail_notices = wanted
    events.write(session, "user.letters", user.name, now, detail="on" if wanted else "off")


def set_webhook(session: Session, user: User, url: str, now: datetime, *, private: bool) -> Webhook:
    """Send notices to a URL from now on, with a new secret. Raises BadRequest for what may be none.

    Where its host is, is looked at again before each delivery.
    """
    try:
        hooks.checked(url, private=private)
    except hooks.HookFailed as error:
        raise BadRequest(str(error), advice="Give the address of your receiver, https://...") from error
    session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))
    hook = session.get(Webhook, user.id) or Webhook(user_id=user.id)
    hook.url, hook.secret, hook.created_at = url, f"lethe_hook_{secrets.token_urlsafe(32)}", now
    session.add(hook)
    events.write(session, "user.webhook_set", user.name, now)
    return hook


def remove_webhook(session: Session, user: User, now: datetime) -> None:
    """Send nothing anywhere any more. Raises NotFound."""
    session.delete(_webhook(session, user))
    events.write(session, "user.webhook_removed", user.name, now)


def send_test(session: Session, user: User, now: datetime) -> Notice:
    """Send a test. Raises NotFound without a webhook, Conflict while some are on their way, TooManyAttempts after many."""
    _webhook(session, user)
    session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))
    tests = Notice.user_id == user.id, Notice.kind == outbox.TEST
    waiting = select(func.count(Notice.id)).where(*tests, Notice.due_at.is_not(None))
    if (session.scalar(waiting) or 0) >= MOST_TESTS:
        raise Conflict(f"{MOST_TESTS} tests have not been delivered yet.", advice="See below what they met.")
    lately = select(Notice.created_at).where(*tests, Notice.created_at > now - _HOUR)
    sent = session.scalars(lately.order_by(Notice.created_at.desc()).limit(TESTS_PER_HOUR)).all()
    if len(sent) == TESTS_PER_HOUR:
        seconds = int((sent[-1] + _HOUR - now).total_seconds()) + 1
        raise TooManyAttempts(
            f"You have sent {TESTS_PER_HOUR} tests within an hour.",
            advice=f"Wait {-(-seconds // 60)} min, then try again.",
            retry_after=seconds,
        )
    return outbox.add(session, user.id, outbox.WEBHOOK, outbox.TEST, now)


def webhook_of(session: Session, user: User) -> Webhook | None:
    """Return a person's webhook."""
    return session.get(Webhook, user.id)


def deliveries(session: Session, user: User) -> Sequence[Notice]:
    """Return a person's last notices, newest first."""
    query = select(Notice).where(Notice.user_id == user.id)
    return session.scalars(query.order_by(Notice.created_at.desc(), Notice.id).limit(SHOWN)).all()


def _webhook(session: Session, user: User) -> Webhook:
    found = webhook_of(session, user)
    if found is None:
        raise NotFound("You have no webhook.", advice="Set its URL first.")
    return found
