"""The quota ledger: a debit for each submission, a refund where Lethe is at fault or nothing ran."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.competitions import CompetitionConfig
from app.errors import QuotaExhausted
from app.models import Competition, QuotaEntry, User


@dataclass(frozen=True)
class Quota:
    """Submissions of one participant to one competition on the current UTC day."""

    limit: int
    used: int
    resets_at: datetime  # the next UTC midnight

    @property
    def left(self) -> int:
        """How many more submissions are taken today; never negative."""
        return max(0, self.limit - self.used)


def remaining(
    session: Session, user_id: str, competition: Competition, config: CompetitionConfig, now: datetime
) -> Quota:
    """Return today's quota as the ledger has it."""
    spent = session.scalar(
        select(func.coalesce(func.sum(QuotaEntry.amount), 0)).where(
            QuotaEntry.user_id == user_id,
            QuotaEntry.competition_id == competition.id,
            QuotaEntry.day == _day(now),
        )
    )
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    return Quota(limit=config.bundle.per_day, used=-(spent or 0), resets_at=midnight)


def check(quota: Quota, now: datetime) -> None:
    """Raise QuotaExhausted, with the seconds until the reset, unless a submission is left."""
    if quota.left:
        return
    seconds = int((quota.resets_at - now).total_seconds()) + 1
    raise QuotaExhausted(
        f"All {quota.limit} submissions of this UTC day are used; the count starts again at 00:00 UTC.",
        advice="Wait for the reset, or try your bundle locally first.",
        retry_after=seconds,
    )


def lock(session: Session, user_id: str) -> None:
    """Let one transaction at a time spend this user's quota, until it ends."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def debit(
    session: Session,
    user_id: str,
    competition: Competition,
    config: CompetitionConfig,
    submission_id: str,
    now: datetime,
) -> None:
    """Spend one submission of today, under the user's lock. Raises QuotaExhausted with `retry_after`."""
    lock(session, user_id)
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
