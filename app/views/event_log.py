"""The event log as admins read it: filtered, in pages, as a table for other programs."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from app.models import Event
from app.schemas.operations import EventOut, EventPage
from app.text import LARGEST_ID

PAGE_SIZE = 50
MOST_ROWS = 20_000
Words = Annotated[str | None, Field(max_length=100)]
Day = Annotated[date | None, Field(ge=date(2000, 1, 1), le=date(9998, 12, 31))]


class EventFilter(BaseModel):
    """What is asked for; None, or an empty text, asks for everything."""

    model_config = ConfigDict(frozen=True)
    kind: Words = Field(
        default=None, description="a kind, such as evaluation.done, or with a dot at its end a group of them"
    )
    actor: Words = Field(default=None, description="who did it, by name")
    submission: Words = Field(default=None, description="id of the submission that it is about")
    since: Day = Field(default=None, description="UTC day: on it or later")
    until: Day = Field(default=None, description="UTC day: on it or earlier")

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_all(cls, value: object) -> object:
        return None if value == "" else value

    def query(self) -> dict[str, str]:
        """Return what is asked for as a URL's query has it."""
        chosen = self.model_dump(mode="json", exclude_none=True)
        return {name: chosen[name] for name in EventFilter.model_fields if name in chosen}


class EventsAfter(EventFilter):
    """Events in order, from one on."""

    after: int = Field(default=0, ge=0, le=LARGEST_ID, description="only events with a greater id")
    limit: int = Field(default=100, ge=1, le=500, description="events on a page")


class EventsBefore(EventFilter):
    """Events from the newest, or from one, back."""

    before: int | None = Field(default=None, ge=1, le=LARGEST_ID, description="only events with a smaller id")


def after(session: Session, wanted: EventsAfter) -> EventPage:
    """Return the events that follow a given one, oldest first."""
    query = select(Event).where(Event.id > wanted.after, *_conditions(wanted))
    items = [_event(one) for one in session.scalars(query.order_by(Event.id).limit(wanted.limit))]
    follows = {"after": items[-1].id if items else wanted.after, "limit": wanted.limit}
    return EventPage(items=items, next=f"/api/v1/admin/events?{urlencode(wanted.query() | follows)}")


def before(session: Session, wanted: EventsBefore) -> tuple[list[EventOut], int | None]:
    """Return a page of events, newest first, and before which the next page is."""
    query = _back(wanted).limit(PAGE_SIZE + 1)
    found = [_event(one) for one in session.scalars(query)]
    return found[:PAGE_SIZE], found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None


def rows(session: Session, wanted: EventsBefore) -> Iterator[EventOut]:
    """Yield the newest events, MOST_ROWS of them at most."""
    query = _back(wanted).limit(MOST_ROWS).execution_options(yield_per=500)
    for one in session.scalars(query):
        yield _event(one)


def kinds(session: Session) -> list[str]:
    """Return the kinds of events that there are.

    Each is one step into the index of kinds: the log is long, and kinds are few.
    """
    found: list[str] = []
    kind = session.scalar(select(Event.kind).order_by(Event.kind).limit(1))
    while kind is not None:
        found.append(kind)
        kind = session.scalar(select(Event.kind).where(Event.kind > kind).order_by(Event.kind).limit(1))
    return found


def _back(wanted: EventsBefore) -> Select[Event]:
    query = select(Event).where(*_conditions(wanted)).order_by(Event.id.desc())
    return query if wanted.before is None else query.where(Event.id < wanted.before)


def _conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.kind is not None and wanted.kind.endswith("."):
        found.append(Event.kind.startswith(wanted.kind, autoescape=True))
    elif wanted.kind is not None:
        found.append(Event.kind == wanted.kind)
    if wanted.actor is not None:
        found.append(Event.actor == wanted.actor)
    if wanted.submission is not None:
        found.append(Event.submission_id == wanted.submission)
    if wanted.since is not None:
        found.append(Event.at >= datetime.combine(wanted.since, time(), UTC))
    if wanted.until is not None:
        found.append(Event.at < datetime.combine(wanted.until + timedelta(days=1), time(), UTC))
    return found


def _event(event: Event) -> EventOut:
    return EventOut.model_validate(event, from_attributes=True)
