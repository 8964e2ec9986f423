"""API v1 for everybody: competitions and leaderboards."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app import access, cursors
from app.dependencies import Ctx, Now, Reading, Visitor, get_visitor
from app.models import User
from app.routes import answers
from app.routes.arrangements import Arranged, ArrangedRows, SplitQuery
from app.routes.csv_table import leaderboard_csv
from app.routes.door import Cursor, Slug
from app.routes.etags import IfNoneMatch, unless_known
from app.routes.examples import common as examples
from app.routes.security import OPTIONAL
from app.schemas.boards import LeaderboardOut
from app.schemas.competitions import CompetitionList, CompetitionOut
from app.views import boards, competitions
from app.views.arranged import arranged

router = APIRouter(prefix="/api/v1", tags=["competitions"])
SECRET_HEADERS = {"Cache-Control": "private, no-store"}
"""Of a private leaderboard as its organisers read it: made for them, and kept nowhere."""
BOARD_HEADERS = {"Cache-Control": "no-cache", "Lethe-Poll-Interval": "10"}


@router.get(
    "/competitions",
    summary="List competitions",
    responses={200: answers.ok("All of them", examples.COMPETITIONS), **answers.problems()},
)
def list_competitions(session: Reading, now: Now, cursor: Cursor = None) -> CompetitionList:
    """List all competitions, the open ones first; follow `next` for more."""
    found = competitions.listing(session, now)
    items, following = cursors.part(found, "/api/v1/competitions", cursor, lambda one: one.slug)
    return CompetitionList(items=items, next=following)


@router.get(
    "/competitions/{slug}",
    summary="Read a competition",
    responses={200: answers.ok("The competition now", examples.COMPETITION), **answers.problems(401, 404)},
    openapi_extra=OPTIONAL,
)
def read_competition(slug: Slug, session: Reading, visitor: Visitor, now: Now) -> CompetitionOut:
    """Read limits, dates, entry function and cutoff; with a token, your quota too."""
    return competitions.describe(session, slug, visitor, now)


async def board_viewer(request: Request, context: Ctx, now: Now, split: SplitQuery = "public") -> User | None:
    """Return who asks for a private leaderboard; of a public one that does not matter."""
    return None if split == "public" else await get_visitor(request, context, now)


BoardViewer = Annotated[User | None, Depends(board_viewer)]


@router.get(
    "/competitions/{slug}/leaderboard",
    summary="Read the leaderboard",
    response_model=LeaderboardOut,
    responses={
        **answers.polled("The leaderboard now", examples.LEADERBOARD),
        **answers.problems(401, 404, s404=answers.HIDDEN_BOARD),
    },
    openapi_extra=OPTIONAL,
)
def read_leaderboard(
    slug: Slug,
    context: Ctx,
    session: Reading,
    viewer: BoardViewer,
    now: Now,
    how: ArrangedRows,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read a split's leaderboard, with the row of retraining from scratch beside it.

    With `name` only the rows of whom it names, with `sort` in the order of a column; `rank` is always the true one.
    """
    if access.organises(viewer, slug):
        secret = arranged(boards.board(session, slug, now, how.split), how).model_dump_json()
        return Response(secret, media_type="application/json", headers=SECRET_HEADERS)
    kept = context.boards.get(session, slug, now, "json", LeaderboardOut.model_dump_json, how.split)
    tag = kept.etag + how.tag

    def body() -> bytes:
        return kept.body if how.is_default else arranged(kept.board, how).model_dump_json().encode()

    return unless_known(tag, if_none_match, body, "application/json", BOARD_HEADERS)


@router.get(
    "/competitions/{slug}/leaderboard.csv",
    response_class=Response,
    summary="Read the leaderboard as CSV",
    responses={
        200: answers.ok("The leaderboard now", examples.LEADERBOARD_CSV, "text/csv"),
        **answers.problems(401, 404, s404=answers.HIDDEN_BOARD),
    },
    openapi_extra=OPTIONAL,
)
def read_leaderboard_csv(
    slug: Slug, context: Ctx, session: Reading, viewer: BoardViewer, now: Now, how: Arranged
) -> Response:
    """Read a split's leaderboard as CSV; cells that a spreadsheet would run as a formula are quoted.

    `name` and `sort` as in JSON; with `columns`, only those beside rank, names, score and its interval.
    """
    name = f"{slug}-leaderboard.csv" if how.split == "public" else f"{slug}-private-leaderboard.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if access.organises(viewer, slug):
        found = boards.board(session, slug, now, how.split)
        body = leaderboard_csv(arranged(found, how), how.columns).encode()
        headers |= SECRET_HEADERS
    else:
        kept = context.boards.get(session, slug, now, "csv", leaderboard_csv, how.split)
        body = kept.body
        if not how.is_default:
            body = leaderboard_csv(arranged(kept.board, how), how.columns).encode()
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)
