"""The event log: a row for each transition, written in the transition's own transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Event


def write(
    session: Session,
    kind: str,
    actor: str,
    now: datetime,
    *,
    submission_id: str | None = None,
    evaluation_id: str | None = None,
    detail: str = "",
) -> None:
    """Add one event; it stands or falls with the caller's transaction."""
    event = Event(
        at=now,
        kind=kind,
        actor=actor,
        submission_id=submission_id,
        evaluation_id=evaluation_id,
        detail=detail,
    )
    session.add(event)


def after(
    session: Session, last_id: int, limit: int = 100, submission_id: str | None = None
) -> Sequence[Event]:
    """Return up to `limit` events newer than `last_id`, oldest first, of one submission or of all."""
    query = select(Event).where(Event.id > last_id).order_by(Event.id).limit(limit)
    if submission_id is not None:
        query = query.where(Event.submission_id == submission_id)
    return session.scalars(query).all()
