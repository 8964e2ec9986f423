"""API v1 for admins: workers and the event log; and, for organisers too, rerun."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app import administration
from app.dependencies import Admin, Ctx, Now, Organiser, Reading, Writing
from app.routes import examples
from app.routes.security import SIGNED_IN
from app.schemas import EvaluationOut, EventPage, RerunIn, WorkerList
from app.text import LARGEST_ID
from app.views import operations, workers
from app.views.evaluations import evaluation_out

router = APIRouter(prefix="/api/v1/admin", tags=["admin"], dependencies=SIGNED_IN)


@router.post(
    "/submissions/{submission_id}/rerun",
    status_code=201,
    summary="Grade a submission again",
    responses={
        201: examples.ok("Queued beside the old evaluation", examples.EVALUATION),
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
def rerun(
    submission_id: str,
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
def listed(context: Ctx, session: Reading, _admin: Admin, now: Now) -> WorkerList:
    """List workers by name with what each is about, the depth of the queue by lane, and every running run's lease."""
    return workers.listing(session, context.settings, now)


@router.get(
    "/events",
    summary="Read the event log",
    responses={200: examples.ok("Events, oldest first", examples.EVENTS), **examples.problems(401, 403)},
)
def events(
    session: Reading,
    _admin: Admin,
    after: Annotated[int, Query(ge=0, le=LARGEST_ID, description="only events with a greater id")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> EventPage:
    """Read every transition in order; follow `next` for more, or later for new ones."""
    return operations.events_after(session, after, limit)
