"""API v1 for admins and organisers: entrants, their quota, disqualifying and reinstating."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app import disqualifying, entrants, quota
from app.dependencies import Now, Organiser, Reading, Writing
from app.models import User
from app.routes.answers import created, ok, problems
from app.routes.api import SubmissionId
from app.routes.door import OrganiserOf, Slug
from app.routes.examples import entrants as examples
from app.routes.examples.common import SUBMISSION
from app.routes.security import SIGNED_IN
from app.schemas.entrants import AdjustIn, DisqualifyIn, EntrantOut, EntrantPage, ReasonIn
from app.schemas.submissions import SubmissionOut
from app.views import entrants as views
from app.views import submissions

router = APIRouter(prefix="/api/v1/admin", tags=["entrants"], dependencies=SIGNED_IN)
Name = Annotated[str, Path(description="the entrant's name")]
ENTRANT = "/competitions/{slug}/entrants/{name}"


@router.get(
    "/entrants",
    summary="List entrants",
    responses={200: ok("One page", examples.PAGE), **problems(401, 403)},
)
def list_entrants(
    session: Reading,
    organiser: Organiser,
    competition: Annotated[str, Query(max_length=64, description="only this competition's, by slug")] = "",
    name: Annotated[str, Query(max_length=64, description="only names that hold this")] = "",
    cursor: Annotated[str, Query(max_length=200, description="from `next_cursor`")] = "",
) -> EntrantPage:
    """List who has submitted to each competition that you organise, an admin all; follow `next` for more."""
    return views.listing(session, organiser, competition, name, cursor)


@router.get(
    ENTRANT,
    summary="Read an entrant",
    responses={200: ok("The entrant now", examples.ENTRANT), **problems(401, 403, 404)},
)
def read_entrant(slug: Slug, name: Name, session: Reading, _organiser: OrganiserOf, now: Now) -> EntrantOut:
    """Read somebody's quota in a competition, and what was decided about them; they need not have submitted yet."""
    return views.describe(session, slug, name, now)


@router.post(
    ENTRANT + "/quota",
    status_code=201,
    summary="Give or take submissions",
    responses={
        201: created("Given or taken", examples.ENTRANT),
        **problems(400, 401, 403, 404, unsafe=True, s400=examples.NO_CHANGE),
    },
)
def adjust_quota(
    slug: Slug,
    name: Name,
    wanted: AdjustIn,
    response: Response,
    session: Writing,
    organiser: OrganiserOf,
    now: Now,
) -> EntrantOut:
    """Change how many submissions are taken of somebody, on one day or on every day. The entrant sees the reason."""
    competition, user = entrants.find(session, slug, name)
    quota.adjust(
        session, user, competition, wanted.amount, wanted.day, wanted.reason, actor=organiser, now=now
    )
    session.flush()
    made = views.describe(session, slug, name, now)
    response.headers["Location"] = made.links.self
    return made


@router.post(
    ENTRANT + "/disqualify",
    summary="Disqualify an entrant",
    responses={
        200: ok("None of theirs counts", examples.OUT),
        **problems(401, 403, 404, 409, unsafe=True, s409=examples.ALREADY),
    },
)
def disqualify_entrant(
    slug: Slug, name: Name, wanted: DisqualifyIn, session: Writing, organiser: OrganiserOf, now: Now
) -> EntrantOut:
    """Let nothing count that somebody sent to a competition, and take nothing more. It leaves all boards at once.

    Everything stays stored, no quota is given back, and only the entrant, organisers and admins read the reason.
    """
    competition, user = entrants.find(session, slug, name)
    disqualifying.disqualify_entrant(session, competition, user, wanted.reason, organiser, now)
    return views.describe(session, slug, name, now)


@router.post(
    ENTRANT + "/reinstate",
    summary="Reinstate an entrant",
    responses={
        200: ok("Theirs counts again", examples.ENTRANT),
        **problems(401, 403, 404, 409, unsafe=True, s409=examples.NOTHING),
    },
)
def reinstate_entrant(
    slug: Slug, name: Name, wanted: ReasonIn, session: Writing, organiser: OrganiserOf, now: Now
) -> EntrantOut:
    """Bring back exactly what there was, but for submissions that are disqualified by themselves."""
    competition, user = entrants.find(session, slug, name)
    disqualifying.reinstate_entrant(session, competition, user, wanted.reason, organiser, now)
    return views.describe(session, slug, name, now)


@router.post(
    "/submissions/{submission_id}/disqualify",
    summary="Disqualify a submission",
    responses={
        200: ok("It counts nowhere", SUBMISSION | {"disqualified": examples.DISQUALIFIED}),
        **problems(401, 403, 404, 409, unsafe=True, s409=examples.ALREADY),
    },
)
def disqualify_submission(
    submission_id: SubmissionId, wanted: DisqualifyIn, session: Writing, organiser: Organiser, now: Now
) -> SubmissionOut:
    """Take a submission off all boards at once; the next best of its entrant stands there instead.

    Everything stays stored, no quota is given back, and only the entrant, organisers and admins read the reason.
    """
    disqualifying.disqualify_submission(session, submission_id, wanted.reason, organiser, now)
    return _shown(session, submission_id, organiser)


@router.post(
    "/submissions/{submission_id}/reinstate",
    summary="Reinstate a submission",
    responses={
        200: ok("It counts again", SUBMISSION),
        **problems(401, 403, 404, 409, unsafe=True, s409=examples.NOTHING),
    },
)
def reinstate_submission(
    submission_id: SubmissionId, wanted: ReasonIn, session: Writing, organiser: Organiser, now: Now
) -> SubmissionOut:
    """Let a submission count again, as if nothing had been; unless all of its entrant's are disqualified."""
    disqualifying.reinstate_submission(session, submission_id, wanted.reason, organiser, now)
    return _shown(session, submission_id, organiser)


def _shown(session: Writing, submission_id: str, viewer: User) -> SubmissionOut:
    return submissions.describe(session, submission_id, viewer)
