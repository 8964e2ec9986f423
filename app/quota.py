"""The quota ledger: a debit for each submission, a refund where Lethe is at fault or nothing ran.

An organiser may give entries, or take some, for a day or for every day: such a row changes the limit, not what is used.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from app import entrants, events
from app.competitions import CompetitionConfig
from app.errors import BadRequest, QuotaExhausted
from app.models import Competition, QuotaEntry, User

ADJUST = "adjust"
MOST_ADJUSTED = 1000


@dataclass(frozen=True)
class Quota:
    """Submissions of one entrant to one competition on the current UTC day."""

    limit: int  # the competition's, and what an organiser gave or took
    used: int
    resets_at: datetime  # the next UTC midnight

    @property
    def left(self) -> int:
        """How many more submissions are taken today; never negative."""
        return max(0, self.limit - self.used)


def remaining(
    session: Session, user_id: str, competition: Competition, config: CompetitionConfig, now: datetime
) -> Quota:
    """Return today's quota as the ledger has it, that of a person's team where they have one."""
    adjusted = case((QuotaEntry.kind == ADJUST, QuotaEntry.amount), else_=0)
    spent = case((QuotaEntry.kind == ADJUST, 0), else_=QuotaEntry.amount)
    today = or_(QuotaEntry.day == _day(now), QuotaEntry.day.is_(None))
    sums = select(func.coalesce(func.sum(adjusted), 0), func.coalesce(func.sum(spent), 0))
    given, balance = session.execute(sums.where(*_of(user_id, competition), today)).one()
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    return Quota(limit=max(0, config.bundle.per_day + given), used=-balance, resets_at=midnight)


def so_far(
    session: Session,
    people: Collection[str],
    competition: Competition,
    config: CompetitionConfig,
    now: datetime,
) -> tuple[int, int]:
    """Return how many submissions people have spent in a competition, and how many one entrant could have by today.

    That is the quota of each UTC day since it opened, and what an organiser gave or took until today.
    """
    today = now.astimezone(UTC).date()
    days = max(0, (today - competition.opens_at.date()).days + 1)
    sums = select(
        func.coalesce(func.sum(case((QuotaEntry.kind == ADJUST, 0), else_=QuotaEntry.amount)), 0),
        func.coalesce(func.sum(case((QuotaEntry.day.is_(None), QuotaEntry.amount * days), else_=0)), 0),
        func.coalesce(func.sum(case((_adjusts_until(today), QuotaEntry.amount), else_=0)), 0),
    ).where(QuotaEntry.user_id.in_(people), QuotaEntry.competition_id == competition.id)
    balance, daily, dated = session.execute(sums).one()
    return -balance, config.bundle.per_day * days + daily + dated


def _adjusts_until(today: date) -> ColumnElement[bool]:
    return and_(QuotaEntry.kind == ADJUST, QuotaEntry.day <= today.isoformat())


def adjustments(
    session: Session, user_id: str, competition: Competition, now: datetime, *, ahead: bool = False
) -> Sequence[QuotaEntry]:
    """Return what an organiser gave or took that holds today, or today or later, oldest first."""
    days = (QuotaEntry.day >= _day(now)) if ahead else (QuotaEntry.day == _day(now))
    held = select(QuotaEntry).where(
        QuotaEntry.kind == ADJUST, *_of(user_id, competition), or_(days, QuotaEntry.day.is_(None))
    )
    return session.scalars(held.order_by(QuotaEntry.created_at, QuotaEntry.id)).all()


def adjust(
    session: Session,
    user: User,
    competition: Competition,
    amount: int,
    day: date | None,
    reason: str,
    *,
    actor: User,
    now: datetime,
) -> QuotaEntry:
    """Give `amount` submissions, or take them if it is negative, on one UTC day, or on every day if that is None.

    Raises BadRequest for an amount of 0 and for a day that is over.
    """
    if amount == 0:
        raise BadRequest(
            "An adjustment by 0 changes nothing.", advice="Give a number, or take one with a minus."
        )
    if day is not None and day < now.astimezone(UTC).date():
        raise BadRequest(f"The day {day} is over.", advice="Name today or a later day, as UTC has it.")
    entrants.lock(session, user.id, competition.id)
    entry = QuotaEntry(
        id=uuid4().hex,
        user_id=user.id,
        competition_id=competition.id,
        day=None if day is None else day.isoformat(),
        kind=ADJUST,
        amount=amount,
        created_at=now,
        reason=reason,
        actor=actor.name,
    )
    session.add(entry)
    detail = f"{competition.slug}, {user.name}: {amount:+d} {f'on {day}' if day else 'every day'}: {reason}"
    events.write(session, "quota.adjusted", actor.name, now, detail=detail)
    return entry


def _of(user_id: str, competition: Competition) -> list[ColumnElement[bool]]:
    return [
        entrants.is_with(QuotaEntry.user_id, user_id, competition.id),
        QuotaEntry.competition_id == competition.id,
    ]


def check(quota: Quota, now: datetime) -> None:
    """Raise QuotaExhausted, with the seconds until the reset, unless a submission is left."""
    if quota.left:
        return
    seconds = int((quota.resets_at - now).total_seconds()) + 1
    used = (
        f"All {quota.limit} submissions of this UTC day are used"
        if quota.limit
        else "You have no submissions today"
    )
    raise QuotaExhausted(
        f"{used}; the count starts again at 00:00 UTC.",
        advice="Wait for the reset, or try your bundle locally first.",
        retry_after=seconds,
    )


def debit(
    session: Session,
    user_id: str,
    competition: Competition,
    config: CompetitionConfig,
    submission_id: str,
    now: datetime,
) -> None:
    """Spend one submission of today, under the entrant's lock. Raises QuotaExhausted with `retry_after`."""
    entrants.lock(session, user_id, competition.id)
    check(remaining(session, user_id, competition, config, now), now)
    entry = QuotaEntry(
        id=uuid4().hex,
        user_id=user_id,
        competition_id=competition.id,
        submission_id=submission_id,
        day=_day(now),
        kind="debit",
        amount=-1,
        created_at=now,
    )
    session.add(entry)


def refund(session: Session, submission_id: str, now: datetime) -> bool:
    """Give a submission's debit back to the day it was spent on, once; return whether this call did."""
    entries = session.scalars(select(QuotaEntry).where(QuotaEntry.submission_id == submission_id)).all()
    debits = [entry for entry in entries if entry.kind == "debit"]
    if not debits or len(entries) > len(debits):
        return False
    back = QuotaEntry(
        id=uuid4().hex,
        user_id=debits[0].user_id,
        competition_id=debits[0].competition_id,
        submission_id=submission_id,
        day=debits[0].day,
        kind="refund",
        amount=1,
        created_at=now,
    )
    session.add(back)
    return True


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
