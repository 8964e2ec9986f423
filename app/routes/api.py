"""API v1 for participants: upload, read, follow, leaderboard."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi import Path as PathParam
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app import submissions, uploads
from app.context import Context
from app.db import read_only
from app.dependencies import Ctx, Now, Person, Reading, Visitor, Writing
from app.models import User
from app.routes import examples
from app.routes.csv_table import leaderboard_csv
from app.routes.door import Door, IdempotencyKey, api_door
from app.schemas import (
    CancelOut,
    CompetitionList,
    CompetitionOut,
    LeaderboardOut,
    SubmissionOut,
    SubmissionPage,
)
from app.views import competitions as competition_views
from app.views import submissions as submission_views

router = APIRouter(prefix="/api/v1")
POLL_SECONDS = 2
FOLLOW_SECONDS = 1.0
FOLLOW_LIMIT = 900  # then the browser connects again

Slug = Annotated[str, PathParam(description="the competition's slug", examples=["digits"])]
SubmissionId = Annotated[str, PathParam(description="the submission's id")]


async def received(
    request: Request, context: Ctx, door: Annotated[Door, Depends(api_door)]
) -> AsyncIterator[Path]:
    """Yield the uploaded file; who is asking, and whether they may, was settled before a byte was read."""
    path = await uploads.save_body(request, context.uploads, door.max_bytes)
    try:
        yield path
    finally:
        uploads.discard(path)


@router.post(
    "/competitions/{slug}/submissions",
    status_code=201,
    summary="Submit a bundle",
    tags=["submissions"],
    response_model=SubmissionOut,
    responses={
        201: examples.ok("Accepted, saved and queued", examples.SUBMISSION),
        **examples.problems(400, 401, 404, 409, 413, 429, s422=examples.REJECTED),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "the zip itself, not a form",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def submit(
    slug: Slug,
    context: Ctx,
    person: Person,
    now: Now,
    path: Annotated[Path, Depends(received)],
    key: IdempotencyKey = None,
    note: Annotated[str, Query(max_length=200, description="a few words for your own list")] = "",
) -> Response:
    """Send a zip with `submission.py` at its root as the body.

    The answer comes only after everything is saved. Send an `Idempotency-Key` to make retries safe: the same key
    with the same bytes answers the same submission again, with `Idempotent-Replayed: true`.
    """
    accepted = submissions.accept(
        context.engine,
        context.storage,
        user_id=person.id,
        slug=slug,
        upload=path,
        note=note,
        idempotency_key=key,
        now=now,
        queue_due=context.settings.queue_due,
    )
    with read_only(context.engine) as session:
        body = submission_views.describe(session, accepted.submission_id, person)
    headers = {"Location": body.links.self, "Cache-Control": "no-store"}
    if not accepted.created:
        headers["Idempotent-Replayed"] = "true"
    return JSONResponse(body.model_dump(mode="json"), 201, headers)


@router.get(
    "/submissions/{submission_id}",
    summary="Read a submission",
    tags=["submissions"],
    response_model=SubmissionOut,
    responses={
        200: examples.ok("The submission as it is now", examples.SUBMISSION),
        304: {"description": "Unchanged since the ETag in If-None-Match"},
        **examples.problems(401, 404),
    },
)
def read_submission(
    submission_id: SubmissionId,
    session: Reading,
    person: Person,
    if_none_match: Annotated[str | None, Header(description="an ETag that you were given")] = None,
) -> Response:
    """Poll this with `If-None-Match`, `Lethe-Poll-Interval` seconds apart, until `status` is `done`."""
    body = submission_views.describe(session, submission_id, person)
    return _with_etag(body.model_dump_json(), if_none_match, {"Lethe-Poll-Interval": str(POLL_SECONDS)})


def _with_etag(text: str, if_none_match: str | None, headers: dict[str, str]) -> Response:
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", **headers}
    known = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="application/json", headers=headers)


@router.get(
    "/submissions",
    summary="List my submissions",
    tags=["submissions"],
    responses={200: examples.ok("One page", examples.SUBMISSIONS), **examples.problems(400, 401)},
)
def list_submissions(
    session: Reading,
    person: Person,
    competition: Annotated[str | None, Query(description="only this competition's")] = None,
    cursor: Annotated[str | None, Query(description="from `next_cursor`")] = None,
) -> SubmissionPage:
    """List your submissions, newest first; follow `next` for more."""
    return submission_views.mine(session, person, competition, cursor)


@router.post(
    "/submissions/{submission_id}/cancel",
    status_code=202,
    summary="Cancel a submission",
    tags=["submissions"],
    responses={
        202: examples.ok("Taken note of", examples.CANCEL),
        **examples.problems(
            401, 404, 409, s409=("conflict", "Not possible in this state", "The evaluation is done.", "")
        ),
    },
)
def cancel(submission_id: SubmissionId, session: Writing, person: Person, now: Now) -> CancelOut:
    """Ask for a submission to stop. What is running is killed within seconds; quota returns if no run had begun."""
    submissions.cancel(session, submission_id, person, now)
    evaluation = submissions.published_evaluation(submissions.get(session, submission_id, person))
    return CancelOut(
        submission_id=submission_id, status=evaluation.status, cancel_requested=evaluation.cancel_requested
    )


def followed(submission_id: SubmissionId, context: Ctx, person: Person) -> User:
    """Return the person if the submission is theirs to follow; checked before the stream begins."""
    with read_only(context.engine) as session:
        submissions.get(session, submission_id, person)
    return person


@router.get(
    "/submissions/{submission_id}/events",
    response_class=EventSourceResponse,
    summary="Follow a submission",
    tags=["submissions"],
    responses={
        200: examples.ok("A stream", examples.CHANGED, "text/event-stream"),
        **examples.problems(401, 404),
    },
)
async def follow(
    submission_id: SubmissionId, context: Ctx, person: Annotated[User, Depends(followed)]
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `changed` when there is something new to read, with `final` true on the last."""
    seen = None
    with anyio.move_on_after(FOLLOW_LIMIT):
        while True:
            mark, final = await run_in_threadpool(_version, context, submission_id, person)
            if mark != seen:
                seen = mark
                yield ServerSentEvent(event="changed", data={"final": final}, retry=POLL_SECONDS * 1000)
            if final:
                return
            await anyio.sleep(FOLLOW_SECONDS)


def _version(context: Context, submission_id: str, person: User) -> tuple[str, bool]:
    with read_only(context.engine) as session:
        return submission_views.version(session, submission_id, person)


@router.get(
    "/competitions",
    summary="List competitions",
    tags=["competitions"],
    responses={200: examples.ok("All of them", examples.COMPETITIONS), **examples.problems()},
)
def list_competitions(session: Reading, now: Now) -> CompetitionList:
    """List all competitions, the open ones first."""
    return CompetitionList(items=competition_views.listing(session, now))


@router.get(
    "/competitions/{slug}",
    summary="Read a competition",
    tags=["competitions"],
    responses={200: examples.ok("The competition now", examples.COMPETITION), **examples.problems(401, 404)},
)
def read_competition(slug: Slug, session: Reading, visitor: Visitor, now: Now) -> CompetitionOut:
    """Read limits, dates, entry function and cutoff; with a token, your quota too."""
    return competition_views.describe(session, slug, visitor, now)


@router.get(
    "/competitions/{slug}/leaderboard",
    summary="Read the leaderboard",
    tags=["competitions"],
    responses={200: examples.ok("The leaderboard now", examples.LEADERBOARD), **examples.problems(404)},
)
def read_leaderboard(slug: Slug, session: Reading, now: Now) -> LeaderboardOut:
    """Read the public leaderboard, with the row of retraining from scratch beside it."""
    return competition_views.board(session, slug, now)


@router.get(
    "/competitions/{slug}/leaderboard.csv",
    response_class=Response,
    summary="Read the leaderboard as CSV",
    tags=["competitions"],
    responses={
        200: examples.ok("The leaderboard now", "rank,user,score,...\r\n1,ada,0.0712,...\r\n", "text/csv"),
        **examples.problems(404),
    },
)
def read_leaderboard_csv(slug: Slug, session: Reading, now: Now) -> Response:
    """Read the public leaderboard as CSV; cells that a spreadsheet would run as a formula are quoted."""
    text = leaderboard_csv(competition_views.board(session, slug, now))
    headers = {"Content-Disposition": f'attachment; filename="{slug}-leaderboard.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
