"""API v1 for admins and organisers: grade many again, look at what would change, apply or drop."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app import reruns
from app.dependencies import Ctx, Now, Organiser, Reading, Writing
from app.routes.answers import created, ok, problems
from app.routes.examples import reruns as examples
from app.routes.security import SIGNED_IN
from app.schemas.reruns import RerunMadeOut, RerunManyIn, RerunOut, RerunPage
from app.views import reruns as views

router = APIRouter(prefix="/api/v1/admin/reruns", tags=["reruns"], dependencies=SIGNED_IN)
RerunId = Annotated[str, Path(description="the rerun's id")]


@router.get(
    "",
    summary="List reruns of many",
    responses={200: ok("One page", examples.PAGE), **problems(400, 401, 403)},
)
def list_reruns(
    session: Reading,
    organiser: Organiser,
    competition: Annotated[str, Query(max_length=64, description="only those that concern it, by slug")] = "",
    cursor: Annotated[str | None, Query(description="from `next_cursor`")] = None,
) -> RerunPage:
    """List those whose every competition you organise, an admin all, newest first; follow `next` for more."""
    return views.listing(session, organiser, competition, cursor)


@router.post(
    "",
    status_code=201,
    summary="Grade many again",
    responses={
        201: created("Queued beside the old ones, unseen", examples.MADE),
        **problems(400, 401, 403, 404, 409, unsafe=True, s400=examples.EMPTY, s409=examples.NONE),
    },
)
def make_rerun(
    wanted: RerunManyIn, response: Response, context: Ctx, session: Writing, organiser: Organiser, now: Now
) -> RerunMadeOut:
    """Grade the submissions of these evaluations again, each on its split; `Location` leads to the rerun.

    Only organisers and admins see the new evaluations until it is applied. Submissions of which something is still open are left out.
    All must be of competitions that you organise.
    """
    made = reruns.make(
        session,
        wanted.evaluations,
        wanted.reason,
        organiser,
        now,
        queue_due=context.settings.queue_due,
        bell=context.bell,
    )
    answer = views.made(session, made)
    response.headers["Location"] = answer.links.self
    return answer


@router.get(
    "/{rerun_id}",
    summary="Read a rerun of many",
    responses={
        200: ok("The rerun, and what it would change", examples.RERUN),
        **problems(401, 403, 404, s404=examples.UNKNOWN),
    },
)
def read_rerun(rerun_id: RerunId, session: Reading, organiser: Organiser, now: Now) -> RerunOut:
    """Read how far it is, old and new scores, and everybody whose place or score would change by applying it now."""
    return views.describe(session, rerun_id, organiser, now)


@router.post(
    "/{rerun_id}/apply",
    summary="Apply a rerun of many",
    responses={
        200: ok("Applied", examples.APPLIED),
        **problems(401, 403, 404, 409, unsafe=True, s404=examples.UNKNOWN, s409=examples.STILL),
    },
)
def apply_rerun(rerun_id: RerunId, session: Writing, organiser: Organiser, now: Now) -> RerunOut:
    """Show all of it that says more than what is shown, in one transaction. Of two who decide, one wins."""
    reruns.apply(session, rerun_id, organiser, now)
    return views.describe(session, rerun_id, organiser, now)


@router.post(
    "/{rerun_id}/drop",
    summary="Drop a rerun of many",
    responses={
        200: ok("Dropped", examples.DROPPED),
        **problems(401, 403, 404, 409, unsafe=True, s404=examples.UNKNOWN, s409=examples.DECIDED),
    },
)
def drop_rerun(rerun_id: RerunId, session: Writing, organiser: Organiser, now: Now) -> RerunOut:
    """Show nothing of it, and stop what of it is under way. Its evaluations stay stored, for organisers to see."""
    reruns.drop(session, rerun_id, organiser, now)
    return views.describe(session, rerun_id, organiser, now)
