"""API v1: the numbers behind the plots."""

from fastapi import APIRouter, Depends

from app.dependencies import Ctx, Now, Person, Reading, Visitor, look_for_changes
from app.routes import answers
from app.routes.api import SubmissionId
from app.routes.door import Slug
from app.routes.examples import plots as plots_examples
from app.routes.security import OPTIONAL, SIGNED_IN
from app.schemas.plots import BoardProgressOut, PlotsOut
from app.views import climbs, plots

router = APIRouter(prefix="/api/v1")


@router.get(
    "/submissions/{submission_id}/plots",
    summary="Read the numbers behind a submission's plots",
    tags=["submissions"],
    responses={200: answers.ok("The plots", plots_examples.PLOTS), **answers.problems(401, 404)},
    dependencies=SIGNED_IN,
)
def read_plots(submission_id: SubmissionId, session: Reading, person: Person) -> PlotsOut:
    """Read the histogram of epsilon and the curve of the membership attack, for your own or your team's submissions.

    Shares of the hidden forget set are rounded to multiples of `step`, and none of its examples is told. Organisers and
    admins read exact numbers, and the examples that tell most. `missing` says why there are none, such as a score by an older grader.
    """
    return plots.of_submission(session, submission_id, person)


@router.get(
    "/competitions/{slug}/leaderboard/progress",
    summary="Read best scores over time",
    tags=["competitions"],
    responses={200: answers.ok("The first ten", plots_examples.PROGRESS), **answers.problems(401, 404)},
    openapi_extra=OPTIONAL,
    dependencies=[Depends(look_for_changes)],
)
def read_progress(slug: Slug, context: Ctx, session: Reading, visitor: Visitor, now: Now) -> BoardProgressOut:
    """Read when the best published score of each of the first ten places rose; with a token, your own place's too."""
    board, steps = context.boards.climbed(session, slug, now)
    return climbs.of_board(board, steps, None if visitor is None else visitor.name)
