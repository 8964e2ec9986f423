"""Two submissions side by side: the page, the way there from a list, and API v1."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from app.dependencies import Ctx, Now, Person, Reading
from app.routes import answers
from app.routes.door import Slug
from app.routes.examples import compare as compare_examples
from app.routes.security import SIGNED_IN
from app.schemas.compare import ComparisonOut
from app.views import comparisons
from app.views import competitions as competition_views

router = APIRouter()

First = Annotated[str, Query(description="a submission's id", max_length=64)]
Second = Annotated[str, Query(description="another one's id", max_length=64)]


class Chosen(BaseModel):
    """What a link or the form chooses; one of them may be missing."""

    a: str | None = None
    b: str | None = None


@router.get("/submissions/compare", include_in_schema=False)
def ticked(session: Reading, person: Person, id: Annotated[list[str], Query()] = []) -> Response:  # noqa: A002, B006
    """Go on from a list in which two submissions are ticked."""
    slug = comparisons.slug_of(session, id, person)
    return RedirectResponse(f"/competitions/{slug}/compare?{urlencode({'a': id[0], 'b': id[1]})}", 303)


@router.get("/competitions/{slug}/compare", include_in_schema=False)
def compared(
    request: Request,
    slug: str,
    context: Ctx,
    session: Reading,
    person: Person,
    now: Now,
    chosen: Annotated[Chosen, Query()],
) -> Response:
    """Show two submissions side by side, or a form to choose them."""
    a, b = chosen.a, chosen.b
    found = comparisons.compare(session, slug, (a, b), person, now) if a and b else None
    own, others = comparisons.choices(session, slug, person, now)
    shown = {
        "competition": competition_views.describe(session, slug, person, now),
        "tab": "compare",
        "found": found,
        "pictures": None if found is None else comparisons.pictures(session, found, person),
        "own": own,
        "others": others,
        "a": a,
        "b": b,
    }
    return context.renderer.page(request, "compare.html", shown, viewer=person)


@router.get(
    "/api/v1/competitions/{slug}/comparison",
    summary="Compare two submissions",
    tags=["submissions"],
    responses={
        200: answers.ok("Both, and their difference", compare_examples.COMPARISON),
        **answers.problems(400, 401, 403, 404, 409),
    },
    dependencies=SIGNED_IN,
)
def read_comparison(
    slug: Slug, session: Reading, person: Person, now: Now, a: First, b: Second
) -> ComparisonOut:
    """Read which of two submissions is better, as far as their scores can tell.

    Each is your own, or an entry of the leaderboard, of which only published numbers are used; at least one is your own.
    """
    return comparisons.compare(session, slug, (a, b), person, now)
