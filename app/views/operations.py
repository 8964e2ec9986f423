"""What admins see: evaluations, queue and events."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, joinedload

from app import cursors, events
from app.models import Competition, Evaluation, Event, Run, Score, Submission
from app.schemas import EventOut, EventPage
from app.status import RunStatus, Status

PAGE_SIZE = 50
OPEN = (Status.QUEUED, Status.RUNNING, Status.SCORING)
OPEN_RUNS = (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(frozen=True)
class Evaluations:
    """One page of evaluations, newest first."""

    items: tuple[Evaluation, ...]
    next: str | None


@dataclass(frozen=True)
class Queue:
    """How much there is to do, and since when the oldest waits; what has ended is not counted."""

    evaluations: dict[Status, int]
    runs: dict[RunStatus, int]
    workers: tuple[str, ...]
    oldest_queued_at: datetime | None


def evaluations(
    session: Session, status: Status | None, cursor: str | None, slug: str | None = None
) -> Evaluations:
    """Return evaluations of everybody, newest first, of one competition or of all.

    Raises BadRequest for a cursor that is not ours.
    """
    query = (
        select(Evaluation)
        .options(
            joinedload(Evaluation.submission).joinedload(Submission.user),
            joinedload(Evaluation.submission).joinedload(Submission.competition).load_only(Competition.slug),
            joinedload(Evaluation.score).load_only(Score.score),
        )
        .order_by(Evaluation.created_at.desc(), Evaluation.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if slug is not None:
        query = query.join(Submission).join(Competition).where(Competition.slug == slug)
    if status is not None:
        query = query.where(Evaluation.status == status)
    if cursor is not None:
        at = cursors.decode(cursor)
        query = query.where(tuple_(Evaluation.created_at, Evaluation.id) < tuple_(at.created_at, at.id))
    found = session.scalars(query).all()
    shown = tuple(found[:PAGE_SIZE])
    more = len(found) > PAGE_SIZE
    last = cursors.encode(cursors.Position(shown[-1].created_at, shown[-1].id)) if more else None
    return Evaluations(shown, last)


def queue(session: Session) -> Queue:
    """Return the counts of what is queued and running."""
    by_status = session.execute(
        select(Evaluation.status, func.count(Evaluation.id))
        .where(Evaluation.status.in_(OPEN))
        .group_by(Evaluation.status)
    )
    runs = session.execute(
        select(Run.status, func.count(Run.id)).where(Run.status.in_(OPEN_RUNS)).group_by(Run.status)
    )
    workers = session.scalars(
        select(Run.worker).where(Run.status == RunStatus.RUNNING, Run.worker.is_not(None)).distinct()
    )
    oldest = session.scalar(select(func.min(Run.queued_at)).where(Run.status == RunStatus.QUEUED))
    return Queue(
        evaluations=dict.fromkeys(OPEN, 0) | dict(by_status.all()),
        runs=dict.fromkeys(OPEN_RUNS, 0) | dict(runs.all()),
        workers=tuple(sorted(name for name in workers if name is not None)),
        oldest_queued_at=oldest,
    )


def events_after(session: Session, after: int, limit: int) -> EventPage:
    """Return the events that follow a given one, oldest first."""
    items = [_event(event) for event in events.after(session, after, limit)]
    last = items[-1].id if items else after
    return EventPage(items=items, next=f"/api/v1/admin/events?after={last}&limit={limit}")


def latest_events(session: Session, before: int | None, submission_id: str | None) -> list[EventOut]:
    """Return a page of events, newest first, of everything or of one submission."""
    query = select(Event).order_by(Event.id.desc()).limit(PAGE_SIZE)
    if before is not None:
        query = query.where(Event.id < before)
    if submission_id is not None:
        query = query.where(Event.submission_id == submission_id)
    return [_event(event) for event in session.scalars(query)]


def _event(event: Event) -> EventOut:
    return EventOut.model_validate(event, from_attributes=True)


def ping(session: Session) -> None:
    """Raise if the database does not answer or has no schema."""
    session.scalar(select(Competition.id).limit(1))
