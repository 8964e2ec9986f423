"""The outbox's rows: written with an ending or a reveal, claimed for one try, delivered or tried again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import CompoundSelect, delete, func, select, update
from sqlalchemy.orm import Session

from app import entrants
from app.evaluations.locks import changed
from app.models import Competition, Evaluation, Notice, User, Webhook

MAIL, WEBHOOK = "mail", "webhook"
DONE, REVEALED, TEST = "evaluation.done", "competition.revealed", "test"
LEASE = timedelta(minutes=2)
"""By then a try has ended, whatever the other side does."""
GIVE_UP = timedelta(days=3)
KEPT = timedelta(days=30)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)


@dataclass(frozen=True)
class Claim:
    """One try of one notice, valid while its number is the row's."""

    id: str
    user_id: str
    channel: str
    attempt: int


def tell_ending(session: Session, evaluation: Evaluation, now: datetime) -> None:
    """Write what everybody whose submission it is shall hear of an evaluation that has just ended.

    One on the private split is nobody's to hear of, nor is one whose outcome somebody has still to publish.
    """
    if evaluation.split != "public" or evaluation.rerun_id is not None:
        return
    people = entrants.people_of(session, evaluation.submission)
    for user_id, channel in _listening(session, people):
        add(session, user_id, channel, DONE, now, evaluation_id=evaluation.id)


def tell_reveal(session: Session, competition: Competition, now: datetime) -> None:
    """Write what everybody who took part in a competition shall hear of its results."""
    for user_id, channel in _listening(session, entrants.people_in(competition.id)):
        add(session, user_id, channel, REVEALED, now, competition_id=competition.id)


def _listening(
    session: Session, people: Collection[str] | CompoundSelect[tuple[str]]
) -> list[tuple[str, str]]:
    """Return which of these people want to be told, and by which way."""
    by_mail = select(User.id).where(User.id.in_(people), User.email.is_not(None), User.mail_notices)
    by_hook = select(Webhook.user_id).where(Webhook.user_id.in_(people))
    return [
        (user_id, channel)
        for channel, listening in ((MAIL, by_mail), (WEBHOOK, by_hook))
        for user_id in session.scalars(listening)
    ]


def add(
    session: Session,
    user_id: str,
    channel: str,
    kind: str,
    now: datetime,
    *,
    evaluation_id: str | None = None,
    competition_id: str | None = None,
) -> Notice:
    """Write one notice, to be tried at once."""
    notice = Notice(
        id=uuid4().hex,
        user_id=user_id,
        channel=channel,
        kind=kind,
        evaluation_id=evaluation_id,
        competition_id=competition_id,
        due_at=now,
        created_at=now,
    )
    session.add(notice)
    return notice


def is_due(session: Session, channels: Collection[str], now: datetime) -> bool:
    """Return whether there is anything to claim."""
    due = select(Notice.id).where(Notice.due_at <= now, Notice.channel.in_(channels))
    return session.scalar(due.limit(1)) is not None


def claim(session: Session, channels: Collection[str], now: datetime, limit: int) -> list[Claim]:
    """Lend up to `limit` tries until now + LEASE, one for each person: nobody's slow receiver keeps others waiting."""
    place = func.row_number().over(partition_by=Notice.user_id, order_by=(Notice.due_at, Notice.id))
    due = (
        select(
            Notice.id, Notice.user_id, Notice.channel, Notice.attempts, Notice.due_at, place.label("place")
        )
        .where(Notice.due_at <= now, Notice.channel.in_(channels))
        .subquery()
    )
    oldest = select(due).where(due.c.place == 1).order_by(due.c.due_at, due.c.id).limit(limit)
    found = [Claim(one.id, one.user_id, one.channel, one.attempts + 1) for one in session.execute(oldest)]
    return [one for one in found if _won(session, one, now)]


def _won(session: Session, one: Claim, now: datetime) -> bool:
    guard = update(Notice).where(
        Notice.id == one.id, Notice.attempts == one.attempt - 1, Notice.due_at <= now
    )
    return changed(session, guard.values(attempts=one.attempt, due_at=now + LEASE, tried_at=now)) == 1


def delivered(session: Session, one: Claim, outcome: str, now: datetime) -> bool:
    """Note that a try went well; False when the claim is no longer the caller's."""
    return _ended(session, one, outcome, delivered_at=now, due_at=None)


def failed(session: Session, one: Claim, outcome: str, now: datetime) -> bool:
    """Note that a try failed, and when the next is due: each waits twice as long, until it is given up."""
    created_at = session.scalar(select(Notice.created_at).where(Notice.id == one.id))
    again = now + min(_FIRST_WAIT * 2 ** min(one.attempt - 1, 20), _LONGEST_WAIT)
    over = created_at is None or again > created_at + GIVE_UP
    return _ended(session, one, outcome, due_at=None if over else again)


def dropped(session: Session, one: Claim, why: str) -> bool:
    """Note that nobody is to be told any more."""
    return _ended(session, one, why, due_at=None)


def _ended(session: Session, one: Claim, outcome: str, **values: datetime | None) -> bool:
    guard = update(Notice).where(Notice.id == one.id, Notice.attempts == one.attempt)
    return changed(session, guard.values(outcome=outcome[:200], **values)) == 1


def prune(session: Session, now: datetime) -> None:
    """Forget what has been delivered or given up long ago."""
    session.execute(delete(Notice).where(Notice.due_at.is_(None), Notice.created_at < now - KEPT))
