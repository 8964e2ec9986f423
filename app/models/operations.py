"""Who works, and what has happened."""

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base
from app.status import WorkerState


class Worker(Base):
    """A worker process that is alive, as it says itself every few seconds; nothing but pages depends on it."""

    __tablename__ = "workers"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    device_class: Mapped[str] = mapped_column(String(8))  # "cpu" | "cuda"
    device: Mapped[str] = mapped_column(String(64))  # digest of what it is, without any competition's limits
    device_name: Mapped[str] = mapped_column(String(200))
    sandboxes: Mapped[str] = mapped_column(String(200))  # the back end's identity
    version: Mapped[str] = mapped_column(String(32))  # of Lethe
    state: Mapped[WorkerState]  # as it said last; see app.workers.state_of
    run_id: Mapped[str | None] = mapped_column(String(32))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Event(Base):
    """What happened, in order; every transition writes one in its own transaction."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_kind", "kind", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(48))  # e.g. "evaluation.scoring"
    actor: Mapped[str] = mapped_column(String(64))  # a user's name, a worker's, or "reaper"
    submission_id: Mapped[str | None] = mapped_column(ForeignKey("submissions.id"), index=True)
    evaluation_id: Mapped[str | None] = mapped_column(ForeignKey("evaluations.id"), index=True)
    detail: Mapped[str] = mapped_column(Text)
