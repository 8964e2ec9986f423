"""API v1 for participants: upload, read, cancel."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as PathParam
from fastapi.responses import JSONResponse, PlainTextResponse

from app import logs, submissions, uploads
from app.db import read_only
from app.dependencies import Ctx, Now, Person, Reading, Writing
from app.routes import answers
from app.routes.door import Door, IdempotencyKey, Slug, api_door
from app.routes.etags import IfNoneMatch, of_body, unless_known
from app.routes.examples import common as examples
from app.routes.security import SIGNED_IN
from app.schemas.operations import CancelOut, EvaluationOut
from app.schemas.submissions import SubmissionOut, SubmissionPage
from app.views import submissions as submission_views
from app.views.evaluations import evaluation_out

router = APIRouter(prefix="/api/v1")
POLL_SECONDS = 2
POLL_HEADERS = {"Cache-Control": "private, no-cache", "Lethe-Poll-Interval": str(POLL_SECONDS)}

SubmissionId = Annotated[str, PathParam(description="the submission's id")]
EvaluationId = Annotated[str, PathParam(description="the evaluation's id")]


async def received(
    request: Request, context: Ctx, person: Person, door: Annotated[Door, Depends(api_door)]
) -> AsyncIterator[Path]:
    """Yield the uploaded file; who is asking, and whether they may, was settled before a byte was read."""
    with context.uploads_under_way.hold(person.id):
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
        201: answers.created("Accepted, saved and queued", examples.SUBMISSION),
        **answers.problems(400, 401, 404, 408, 409, 413, 429, unsafe=True, s422=examples.REJECTED),
    },
    dependencies=SIGNED_IN,
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "the zip itself, not a form",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def submit_bundle(
    slug: Slug,
    context: Ctx,
    person: Person,
    path: Annotated[Path, Depends(received, scope="function")],
    now: Now,
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
        now=context.clock(),  # the body has arrived, which may have taken minutes
        begun=now,
        queue_due=context.settings.queue_due,
        bell=context.bell,
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
        **answers.polled("The submission as it is now", examples.SCORED),
        **answers.problems(401, 404),
    },
    dependencies=SIGNED_IN,
)
def read_submission(
    submission_id: SubmissionId,
    context: Ctx,
    session: Reading,
    person: Person,
    now: Now,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Poll this with `If-None-Match`, `Lethe-Poll-Interval` seconds apart, until `status` is `done`."""
    seen = context.polls.read_mark(session, submission_id, person, now)

    def body() -> bytes:
        return context.polls.describe(session, submission_id, person, seen)

    return unless_known(seen.mark, if_none_match, body, "application/json", POLL_HEADERS)


@router.get(
    "/submissions/{submission_id}/log",
    response_class=PlainTextResponse,
    summary="Read the log of a submission's smoke run",
    tags=["submissions"],
    responses={
        **answers.printed(examples.LOG),
        **answers.problems(401, 404, s404=answers.NO_LOG),
    },
    dependencies=SIGNED_IN,
)
def read_log(
    submission_id: SubmissionId,
    context: Ctx,
    session: Reading,
    person: Person,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read what the run on public data has printed, as text; a line in its middle says what was left out, if anything.

    `Lethe-Run-Status` is the run's. While that is `running`, more may come: what is here is at most some seconds old, and
    to go on reading, poll with `If-None-Match`, `Lethe-Poll-Interval` seconds apart. So also while it is `queued`, for its
    worker was lost, and it will be run once more: its log begins anew then. With `succeeded` or `failed` the log is
    whole; `skipped` is a run that was stopped, and what it had printed some seconds before.

    Runs on hidden data have no log. It is its owner's, their team's and organisers' to read.
    """
    found = logs.find(session, submissions.get(session, submission_id, person))
    session.close()  # the store may take its time, and no transaction waits for it
    text = found.read(context.storage)
    headers = {
        "Content-Disposition": f'attachment; filename="lethe-{submission_id}.log"',
        "Cache-Control": "private, no-store",
        "Lethe-Run-Status": found.status.value,
    }
    if found.goes_on:
        headers["Lethe-Poll-Interval"] = str(POLL_SECONDS)
    return unless_known(of_body(f"{found.status} {text}"), if_none_match, lambda: text, "text/plain", headers)


@router.get(
    "/evaluations/{evaluation_id}",
    summary="Read an evaluation",
    tags=["submissions"],
    response_model=EvaluationOut,
    responses={
        **answers.polled("The evaluation now", examples.EVALUATION),
        **answers.problems(401, 404),
    },
    dependencies=SIGNED_IN,
)
def read_evaluation(
    evaluation_id: EvaluationId, session: Reading, person: Person, if_none_match: IfNoneMatch = None
) -> Response:
    """Read one grading, shown or not; one on the private split is the organisers' until the results are revealed.

    A rerun is followed here: poll with `If-None-Match`, `Lethe-Poll-Interval` seconds apart.
    """
    body = evaluation_out(submissions.get_evaluation(session, evaluation_id, person)).model_dump_json()
    return unless_known(of_body(body), if_none_match, lambda: body, "application/json", POLL_HEADERS)


@router.get(
    "/submissions",
    summary="List my submissions",
    tags=["submissions"],
    responses={200: answers.ok("One page", examples.SUBMISSIONS), **answers.problems(400, 401)},
    dependencies=SIGNED_IN,
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
        202: answers.ok("Taken note of", examples.CANCEL),
        **answers.problems(
            401,
            404,
            409,
            unsafe=True,
            s409=("conflict", "Not possible in this state", "There is nothing to cancel.", ""),
        ),
    },
    dependencies=SIGNED_IN,
)
def cancel_submission(
    submission_id: SubmissionId,
    session: Writing,
    person: Person,
    now: Now,
    evaluation: Annotated[
        str | None, Query(description="the id of the only evaluation to stop; without it, all that you may")
    ] = None,
) -> CancelOut:
    """Ask for a submission to stop. What is running is killed within seconds; quota returns if no run had begun.

    The answer holds the evaluations that this reached: `done` already, or `cancel_requested` while a run is stopped.
    """
    reached = submissions.cancel(session, submission_id, person, now, evaluation)
    return CancelOut(submission_id=submission_id, evaluations=[evaluation_out(one) for one in reached])
