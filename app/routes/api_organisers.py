"""API v1 for admins: who organises which competition."""

from typing import Annotated

from fastapi import APIRouter, Path

from app import organisers
from app.dependencies import Admin, Now, Reading, Writing
from app.routes import answers
from app.routes.door import Slug
from app.routes.security import SIGNED_IN
from app.schemas.accounts import OrganiserList

router = APIRouter(
    prefix="/api/v1/admin/competitions/{slug}/organisers", tags=["people"], dependencies=SIGNED_IN
)
Name = Annotated[str, Path(description="the organiser's name")]
_EXAMPLE = {"competition": "digits", "items": ["grace"]}
_UNKNOWN = ("not_found", "Not found", "There is no account named 'nobody'.", "")
_REFUSALS = answers.problems(401, 403, 404, unsafe=True, s404=_UNKNOWN)


@router.get(
    "",
    summary="List a competition's organisers",
    responses={200: answers.ok("Their names", _EXAMPLE), **answers.problems(401, 403, 404)},
)
def list_organisers(slug: Slug, session: Reading, _admin: Admin) -> OrganiserList:
    """List who may see and do everything in this competition, besides the admins."""
    return OrganiserList(competition=slug, items=organisers.names(session, slug))


@router.put(
    "/{name}",
    summary="Make somebody organiser",
    responses={200: answers.ok("Who organises it now", _EXAMPLE), **_REFUSALS},
)
def grant_organiser(slug: Slug, name: Name, session: Writing, admin: Admin, now: Now) -> OrganiserList:
    """Let somebody see every submission and both splits of this competition, rerun, cancel and have devices measured.

    Sending it twice changes nothing.
    """
    organisers.grant(session, slug, name, admin.name, now)
    return OrganiserList(competition=slug, items=organisers.names(session, slug))


@router.delete(
    "/{name}",
    summary="Make somebody organiser no more",
    responses={200: answers.ok("Who organises it now", _EXAMPLE | {"items": []}), **_REFUSALS},
)
def withdraw_organiser(slug: Slug, name: Name, session: Writing, admin: Admin, now: Now) -> OrganiserList:
    """Leave somebody with what a participant may; sending it twice changes nothing."""
    organisers.withdraw(session, slug, name, admin.name, now)
    return OrganiserList(competition=slug, items=organisers.names(session, slug))
