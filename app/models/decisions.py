"""What organisers decide about submissions and entrants, and the quota's ledger."""

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Rerun(Base):
    """Several submissions graded again at once; what comes of it is published together, or dropped."""

    __tablename__ = "reruns"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(64))
    decision: Mapped[str | None] = mapped_column(String(16))  # "applied" | "dropped"; None while it is open
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(64))


class Disqualification(Base):
    """A submission, or all of somebody's in a competition, that does not count until this is lifted.

    Rows stay when they are lifted. Of submission_id and user_id one is set.
    """

    __tablename__ = "disqualifications"
    __table_args__ = (
        Index(
            "uq_disqualifications_submission",
            "submission_id",
            unique=True,
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
        Index(
            "uq_disqualifications_entrant",
            "competition_id",
            "user_id",
            unique=True,
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"))
    submission_id: Mapped[str | None] = mapped_column(ForeignKey("submissions.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(Text)  # shown to whom it concerns
    actor: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(64))
    lifted_reason: Mapped[str | None] = mapped_column(Text)


class QuotaEntry(Base):
    """The quota ledger: -1 for a submission, +1 for a refund, what an organiser gives or takes; never updated."""

    __tablename__ = "quota_entries"
    __table_args__ = (
        UniqueConstraint("submission_id", "kind"),
        Index("ix_quota_entries_user_id_competition_id_day", "user_id", "competition_id", "day"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"))
    submission_id: Mapped[str | None] = mapped_column(ForeignKey("submissions.id"))  # None of an adjustment
    day: Mapped[str | None] = mapped_column(
        String(10)
    )  # UTC day of the debit, which a refund gives back; None: every day
    kind: Mapped[str] = mapped_column(String(8))  # "debit" | "refund" | "adjust"
    amount: Mapped[int]
    created_at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(Text)  # this and the actor: of an adjustment alone
    actor: Mapped[str | None] = mapped_column(String(64))
