"""API v1 for admins: how things stand, workers; and, for organisers too, evaluations, rerun and cancel."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app import administration, cursors
from app.dependencies import Admin, Ctx, Now, Organiser, Reading, Writing
from app.evaluation_filter import EvaluationFilter
from app.routes import answers
from app.routes.api import EvaluationId
from app.routes.door import Cursor
from app.routes.examples import admin as admin_examples
from app.routes.examples import common as examples
from app.routes.security import SIGNED_IN
from app.schemas.evaluations import CancelIn, EvaluationRows
from app.schemas.operations import EvaluationOut, RerunIn, WorkerList
from app.schemas.overview import OverviewOut
from app.views import evaluation_list, workers
from app.views.evaluations import evaluation_out
from app.views.overview import overview

SubmissionId = Annotated[str, Path(description="the submission's id")]
router = APIRouter(prefix="/api/v1/admin", tags=["admin"], dependencies=SIGNED_IN)


@router.post(
    "/submissions/{submission_id}/rerun",
    status_code=201,
    summary="Grade a submission again",
    responses={
        201: answers.created("Queued beside the old evaluation", examples.EVALUATION),
        **answers.problems(
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
    responses={200: answers.ok("Workers", examples.WORKERS), **answers.problems(401, 403)},
)
def list_workers(
    context: Ctx, session: Reading, _admin: Admin, now: Now, cursor: Cursor = None
) -> WorkerList:
    """List workers by name with what each is about, the depth of the queue by lane, and every running run's lease."""
    found = workers.listing(session, context.settings, now)
    items, following = cursors.part(found.items, f"{router.prefix}/workers", cursor, lambda one: one.name)
    return found.model_copy(update={"items": items, "next": following})


@router.get(
    "/overview",
    summary="Read how things stand",
    responses={200: answers.ok("How things stand", admin_examples.OVERVIEW), **answers.problems(401, 403)},
)
def read_overview(context: Ctx, session: Reading, admin: Admin, now: Now) -> OverviewOut:
    """Read what waits, what runs, and what needs somebody: stalled evaluations, open reruns, devices that drifted."""
    return overview(session, context.settings, admin, now)


@router.get(
    "/evaluations",
    summary="List everybody's evaluations",
    responses={200: answers.ok("One page", admin_examples.EVALUATIONS), **answers.problems(400, 401, 403)},
)
def list_evaluations(
    session: Reading, organiser: Organiser, wanted: Annotated[EvaluationFilter, Query()]
) -> EvaluationRows:
    """List evaluations of everybody on both splits, in the competitions that you organise, newest first and filtered.

    Admins read all. Follow `next` for more.
    """
    return evaluation_list.page(session, wanted, organiser)


@router.post(
    "/evaluations/{evaluation_id}/cancel",
    status_code=202,
    summary="Cancel an evaluation",
    responses={
        202: answers.ok("Taken note of", examples.CANCEL["evaluations"][0]),
        **answers.problems(401, 403, 404, 409, unsafe=True, s409=admin_examples.ENDED),
    },
)
def cancel_evaluation(
    evaluation_id: EvaluationId, wanted: CancelIn, session: Writing, organiser: Organiser, now: Now
) -> EvaluationOut:
    """Stop exactly this evaluation, with the reason in the event log; what is running is killed within seconds."""
    [reached] = administration.cancel(session, [evaluation_id], wanted.reason, organiser, now)
    return evaluation_out(reached)
