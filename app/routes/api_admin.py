"""API v1 for admins: workers and the event log; and, for organisers too, rerun."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app import administration, cursors
from app.dependencies import Admin, Ctx, Now, Organiser, Reading, Writing
from app.routes import examples
from app.routes.door import Cursor
from app.routes.security import SIGNED_IN
from app.schemas import EvaluationOut, EventPage, RerunIn, WorkerList
from app.text import LARGEST_ID
from app.views import operations, workers
from app.views.evaluations import evaluation_out

SubmissionId = Annotated[str, Path(description="the submission's id")]
router = APIRouter(prefix="/api/v1/admin", tags=["admin"], dependencies=SIGNED_IN)


@router.post(
    "/submissions/{submission_id}/rerun",
    status_code=201,
    summary="Grade a submission again",
    responses={
        201: examples.created("Queued beside the old evaluation", examples.EVALUATION),
        **examples.problems(
            401,
            403,
            404,
            409,
            unsafe=True,
            s409=(
                "conflict",
                "Not possible in this state",
                "An evaluation of this split is still going.",
                "",
            ),
        ),
    },
)
def rerun_submission(
    submission_id: SubmissionId,
    wanted: RerunIn,
    response: Response,
    context: Ctx,
    session: Writing,
    organiser: Organiser,
    now: Now,
) -> EvaluationOut:
    """Make a new evaluation beside the old one; `Location` leads to it.

    It is shown instead of the old when it scores; also when the old one ended without a score, unless the rerun was
    cancelled or stalled. A score under an older reference never takes the place of one under the current.
    """
    evaluation = administration.rerun(
        session,
        submission_id,
        wanted.split,
        wanted.reason,
        organiser,
        now,
        queue_due=context.settings.queue_due,
        bell=context.bell,
    )
    made = evaluation_out(evaluation)
    response.headers["Location"] = made.links.self
    return made


@router.get(
    "/workers",
    summary="List workers, what waits for them, and what is lent",
    responses={200: examples.ok("Workers", examples.WORKERS), **examples.problems(401, 403)},
)
def list_workers(
    context: Ctx, session: Reading, _admin: Admin, now: Now, cursor: Cursor = None
) -> WorkerList:
    """List workers by name with what each is about, the depth of the queue by lane, and every running run's lease."""
    found = workers.listing(session, context.settings, now)
    items, following = cursors.part(found.items, f"{router.prefix}/workers", cursor, lambda one: one.name)
    return found.model_copy(update={"items": items, "next": following})


@router.get(
    "/events",
    summary="Read the event log",
    responses={200: examples.ok("Events, oldest first", examples.EVENTS), **examples.problems(401, 403)},
)
def list_events(
    session: Reading,
    _admin: Admin,
    after: Annotated[int, Query(ge=0, le=LARGEST_ID, description="only events with a greater id")] = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="events on a page")] = 100,
) -> EventPage:
    """Read every transition in order; follow `next` for more, or later for new ones."""
    return operations.events_after(session, after, limit)
