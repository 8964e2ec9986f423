"""API v1: following a submission by server-sent events.

A stream holds neither a connection nor a thread: once in a second it asks this process' memory, and only what has
changed is read, in a moment of its own. Every event tells the whole state, so that whoever has the newest has missed
nothing; its id is the newest event of the log that it holds, and one who comes back with that is told no more than
what has come since.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.context import Context
from app.db import DATABASE_AWAY, read_only
from app.dependencies import Ctx, Person, shown_by
from app.errors import NotAuthenticated, NotFound
from app.models import User
from app.routes import answers
from app.routes.api import POLL_SECONDS, SubmissionId
from app.routes.examples import common as examples
from app.routes.security import SIGNED_IN
from app.schemas.progress import BeatOut
from app.views import follow
from app.views.follow import Told

router = APIRouter(prefix="/api/v1")
LOOK_SECONDS = 1.0
BEAT_SECONDS = 10.0
ASK_SECONDS = 10.0  # then it is asked again who follows
LIMIT_SECONDS = 900  # then the browser connects again

LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="the last id that you were told, to go on from there"),
]


@dataclass
class Follower:
    """Who follows what: asked again and again whether there is anything to tell."""

    context: Context
    request: Request
    submission_id: str
    person: User

    async def read(self) -> Told:
        """Read the submission in a thread. Raises NotFound unless it is this person's to see."""
        return await run_in_threadpool(self._read)

    def _read(self) -> Told:
        context = self.context
        with read_only(context.engine) as session:
            return follow.read(session, context.polls, self.submission_id, self.person, context.clock())

    async def has_changed(self, mark: str | None) -> bool:
        """Ask this process' memory whether anything else than `mark` holds by now, or it cannot say."""
        await self.context.changes.fresh()
        seen = self.context.polls.mark(self.submission_id, self.person)
        return seen is None or seen.mark != mark

    async def ask(self) -> None:
        """Find out anew who follows: a session may end, and a role change, while its stream goes on.

        Raises NotAuthenticated when what the request showed is not good any more.
        """
        shown = shown_by(self.request, self.context)
        if shown is None:
            raise NotAuthenticated("Nobody follows.")
        people, now = self.context.people, self.context.clock()
        known = people.known(*shown, now)
        self.person = await run_in_threadpool(people.find, *shown, now) if known is None else known


async def followed(
    request: Request, submission_id: SubmissionId, context: Ctx, person: Person
) -> AsyncIterator[Follower]:
    """Yield a follower if the submission is theirs to follow and a place is left, before the stream begins."""
    follower = Follower(context, request, submission_id, person)
    await follower.read()
    with context.streams.hold(person.id):
        yield follower


@router.get(
    "/submissions/{submission_id}/events",
    response_class=EventSourceResponse,
    summary="Follow a submission",
    tags=["submissions"],
    responses={
        200: answers.ok("A stream", examples.CHANGED, "text/event-stream"),
        **answers.problems(401, 404, 429, s429=answers.TOO_MANY_STREAMS),
    },
    dependencies=SIGNED_IN,
)
async def follow_submission(
    follower: Annotated[Follower, Depends(followed)], last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `changed` whenever there is something new, `beat` in between.

    `changed` tells how far the submission is, at first as it is now, and has an id: the newest event of the log that
    it holds. Send that back as `Last-Event-ID` when you connect again (browsers do so by themselves), and you are told
    at once of what you missed, if there was anything. A change of the place in the queue alone has no id. The last
    `changed` has `final` true; then the stream ends. Every stream ends after 15 minutes; connect again.

    `beat` comes at the beginning and after each 10 seconds of silence. Where none arrives in time, something between us
    holds events back, such as a proxy: poll instead, `poll_seconds` apart. Poll also when a stream is refused (429: five
    of yours are open; 503: this process has no more).
    """
    beat = BeatOut(beat_seconds=BEAT_SECONDS, poll_seconds=POLL_SECONDS)
    yield ServerSentEvent(event="beat", data=beat, retry=POLL_SECONDS * 1000)
    known, mark = _number(last_event_id), None
    began = time.monotonic()
    ends, beats, asks = began + LIMIT_SECONDS, began + BEAT_SECONDS, began + ASK_SECONDS
    while time.monotonic() < ends:
        try:
            if time.monotonic() >= asks:
                await follower.ask()
                asks = time.monotonic() + ASK_SECONDS
            told = await follower.read() if await follower.has_changed(mark) else None
            if told is not None and told.mark != mark:
                if mark is not None or told.event != known or told.data.ahead is not None or told.data.final:
                    new = told.event != known
                    yield ServerSentEvent(
                        event="changed", data=told.data, id=str(told.event) if new else None
                    )
                    beats = time.monotonic() + BEAT_SECONDS
                if told.data.final:
                    return
                mark, known = told.mark, told.event
            if time.monotonic() >= beats:
                yield ServerSentEvent(event="beat", data=beat)
                beats = time.monotonic() + BEAT_SECONDS
        except DATABASE_AWAY:
            pass  # it is asked again in a second; what happens meanwhile is in its log
        except (NotAuthenticated, NotFound):
            return
        await anyio.sleep(LOOK_SECONDS)


def _number(last_event_id: str | None) -> int | None:
    """Return the event that a client says it knows; what is not one of ours is as good as none."""
    given = last_event_id or ""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
