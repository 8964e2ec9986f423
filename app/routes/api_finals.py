"""API v1: one's final entries; for organisers the close of a competition and the reveal of its results."""

from fastapi import APIRouter

from app import finals, reveal
from app.dependencies import Now, Person, Reading, Writing
from app.routes.answers import ok, problems
from app.routes.door import OrganiserOf, Slug
from app.routes.examples import finals as examples
from app.routes.security import SIGNED_IN
from app.schemas.finals import ClosingOut, FinalsIn, FinalsOut, RevealIn
from app.views import finals as views

router = APIRouter(prefix="/api/v1", dependencies=SIGNED_IN)


@router.get(
    "/competitions/{slug}/finals",
    summary="Read my final entries",
    tags=["competitions"],
    responses={200: ok("Yours or your team's", examples.FINALS), **problems(401, 404)},
)
def read_finals(slug: Slug, session: Reading, person: Person, now: Now) -> FinalsOut:
    """Read which submissions the private split decides by, and which others could be chosen while it is open."""
    return views.describe(session, slug, person, now)


@router.put(
    "/competitions/{slug}/finals",
    summary="Choose my final entries",
    tags=["competitions"],
    responses={
        200: ok("As chosen", examples.FINALS),
        **problems(400, 401, 403, 404, 409, unsafe=True, s400=examples.TOO_MANY, s409=examples.LOCKED),
    },
)
def choose_finals(slug: Slug, wanted: FinalsIn, session: Writing, person: Person, now: Now) -> FinalsOut:
    """Make exactly these submissions your choice, or your team's; scored ones, or ones that are under way.

    It can be changed until the close. A team has one choice: send what you have read as `seen`, and a teammate's later
    choice is not undone. `rule` says what becomes of places that are not chosen for.
    """
    finals.choose(session, slug, person, wanted.submission_ids, now, seen=wanted.seen)
    return views.describe(session, slug, person, now)


@router.get(
    "/competitions/{slug}/closing",
    summary="Read how far a close is",
    tags=["admin"],
    responses={200: ok("The close now", examples.CLOSING), **problems(401, 403, 404)},
)
def read_closing(slug: Slug, session: Reading, _organiser: OrganiserOf, now: Now) -> ClosingOut:
    """Read whether final entries were taken, how far their evaluations are, and what is in the way of the reveal.

    The private leaderboard as it would be revealed: `GET .../leaderboard?split=private`.
    """
    return views.closing_of(session, slug, now)


@router.post(
    "/competitions/{slug}/reveal",
    summary="Reveal the results",
    tags=["admin"],
    responses={
        200: ok("Revealed", examples.REVEALED),
        **problems(401, 403, 404, 409, unsafe=True, s409=examples.STILL_RUNNING),
    },
)
def reveal_results(
    slug: Slug, wanted: RevealIn, session: Writing, organiser: OrganiserOf, now: Now
) -> ClosingOut:
    """Make the private leaderboard everybody's to see, with everybody's own private results. It is not taken back."""
    reveal.reveal(session, slug, organiser.name, now, force=wanted.force)
    return views.closing_of(session, slug, now)
