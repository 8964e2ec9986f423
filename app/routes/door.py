"""Who may come in: with an upload, settled before any of it is read, or to what organisers see."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Path, Query

from app import access
from app.db import read_only
from app.dependencies import Ctx, Now, Organiser, Person
from app.errors import NotFound
from app.models import User
from app.views import competitions

Slug = Annotated[str, Path(description="the competition's slug", examples=["digits"])]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern="^[ -~]*$",
        description="any ASCII text, new for each upload",
    ),
]
Cursor = Annotated[str | None, Query(description="from the address in `next`")]
FormKey = Annotated[str | None, Query(min_length=1, max_length=100)]


@dataclass(frozen=True)
class Door:
    """An upload of at most this many bytes may come in."""

    max_bytes: int


def api_door(slug: Slug, context: Ctx, person: Person, now: Now, key: IdempotencyKey = None) -> Door:
    """Let a bearer of a valid token in, if the competition takes uploads from them now."""
    with read_only(context.engine) as session:
        return Door(competitions.knock(session, slug, person, key, now))


def form_door(slug: str, context: Ctx, person: Person, now: Now, key: FormKey = None) -> Door:
    """Let a signed-in person's form in, if the competition takes uploads from them now."""
    with read_only(context.engine) as session:
        return Door(competitions.knock(session, slug, person, key, now))


def get_organiser_of(slug: Slug, organiser: Organiser) -> User:
    """Return who asks if the competition in the path is theirs to organise. Raises Forbidden or NotFound."""
    if not access.organises(organiser, slug):
        raise NotFound("There is no such competition, or it is not yours to organise.")
    return organiser


OrganiserOf = Annotated[User, Depends(get_organiser_of)]
