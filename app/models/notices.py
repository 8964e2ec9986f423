"""What people are told, and where."""

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Webhook(Base):
    """Where a person's notices go over HTTP, signed by a secret that both sides know."""

    __tablename__ = "webhooks"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class Notice(Base):
    """The outbox: one thing to tell one person by one way. It is written with what it tells of."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("evaluation_id", "user_id", "channel"),
        UniqueConstraint("competition_id", "user_id", "channel"),
        Index("ix_notices_user_id_created_at", "user_id", "created_at"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    channel: Mapped[str] = mapped_column(String(8))  # "mail" | "webhook"
    kind: Mapped[str] = mapped_column(String(32))  # "evaluation.done" | "competition.revealed" | "test"
    evaluation_id: Mapped[str | None] = mapped_column(ForeignKey("evaluations.id"))
    competition_id: Mapped[str | None] = mapped_column(ForeignKey("competitions.id"))  # of a reveal
    attempts: Mapped[int] = mapped_column(default=0)  # guards a try, as a fence does
    due_at: Mapped[datetime | None] = mapped_column(
        index=True
    )  # when it is tried next, or a lease ends; None when done
    tried_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(200), default="")  # of the last try, in words
    created_at: Mapped[datetime]
