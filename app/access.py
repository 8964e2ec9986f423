"""Who may do what: the one place that says so, as pure functions of a person and what they ask for.

An admin may do everything. An organiser of a competition may do there what an admin may: see every submission and both
splits, rerun one or many, cancel, disqualify and reinstate, give and take quota, have devices measured again. A participant sees and stops what is their own or their team's.
"""

from collections.abc import Container, Hashable
from datetime import datetime
from typing import Literal

from app.models import User

Role = Literal["participant", "organiser", "admin"]
"""What a person is at most; an organiser is one of the competitions that they were made organiser of."""


def is_admin(viewer: User | None) -> bool:
    """Return whether somebody may do everything."""
    return viewer is not None and viewer.role == "admin"


def organised(viewer: User) -> frozenset[str]:
    """Return the slugs of the competitions that somebody was made organiser of."""
    return frozenset(grant.competition.slug for grant in viewer.grants)


def is_organiser(viewer: User | None) -> bool:
    """Return whether there is any competition that somebody organises."""
    return is_admin(viewer) or (viewer is not None and bool(viewer.grants))


def role_of(viewer: User) -> Role:
    """Return what a person is at most."""
    if is_admin(viewer):
        return "admin"
    return "organiser" if is_organiser(viewer) else "participant"


def organises(viewer: User | None, slug: str) -> bool:
    """Return whether somebody may act for everybody in this competition."""
    return is_admin(viewer) or (viewer is not None and slug in organised(viewer))


def reach(viewer: User) -> frozenset[str] | None:
    """Return the slugs of the competitions in which somebody may act for everybody; None stands for all."""
    return None if is_admin(viewer) else organised(viewer)


def may_read(viewer: User, owners: Container[str], slug: str) -> bool:
    """Return whether what belongs to these people, in this competition, is the viewer's to see and theirs to cancel."""
    return viewer.id in owners or organises(viewer, slug)


def may_see_split(
    viewer: User | None, split: str, slug: str, revealed_at: datetime | None, *, held: bool = False
) -> bool:
    """Return whether a split's evaluations are to be seen: the private one is the organisers' until the reveal.

    What is `held`, as part of a rerun of many that has not been applied, is theirs for as long.
    """
    return organises(viewer, slug) or (not held and (split == "public" or revealed_at is not None))


def may_cancel(viewer: User, owners: Container[str], slug: str, split: str, generation: int) -> bool:
    """Return whether the viewer may stop an evaluation: an owner only their first one, for reruns are not theirs."""
    return organises(viewer, slug) or (viewer.id in owners and generation == 1 and split == "public")


def standing(viewer: User) -> Hashable:
    """Return what decides what somebody sees: whatever is kept in memory for them is kept under it."""
    return viewer.id, viewer.role, organised(viewer)
