"""Who may do what, without a database."""

from datetime import UTC, datetime

import pytest

from app import access
from app.models import Competition, CompetitionOrganiser, User

REVEALED = datetime(2026, 6, 2, tzinfo=UTC)


def person(name, role="participant", *slugs):
    grants = [CompetitionOrganiser(competition=Competition(slug=slug)) for slug in slugs]
    return User(id=name, name=name, role=role, grants=grants)


ADA, GRACE, OLIVE, ROOT = (
    person("ada"),
    person("grace"),
    person("olive", "participant", "digits"),
    person("root", "admin"),
)


def test_an_organiser_is_one_of_the_competitions_that_were_granted_and_an_admin_of_all():
    assert [access.organises(one, "digits") for one in (None, ADA, OLIVE, ROOT)] == [False, False, True, True]
    assert [access.organises(one, "faces") for one in (OLIVE, ROOT)] == [False, True]
    assert [access.role_of(one) for one in (ADA, OLIVE, ROOT)] == ["participant", "organiser", "admin"]
    assert [access.is_organiser(one) for one in (None, ADA, OLIVE, ROOT)] == [False, False, True, True]
    assert [access.is_admin(one) for one in (None, ADA, OLIVE, ROOT)] == [False, False, False, True]


def test_what_is_adas_is_hers_and_the_organisers_to_read():
    assert [access.may_read(one, {"ada"}, "digits") for one in (ADA, GRACE, OLIVE, ROOT)] == [
        True,
        False,
        True,
        True,
    ]
    assert not access.may_read(OLIVE, {"ada"}, "faces")


@pytest.mark.parametrize(
    ("revealed_at", "seen"), [(None, [False, False, True, True]), (REVEALED, [True, True, True, True])]
)
def test_the_private_split_is_the_organisers_until_the_reveal_and_the_public_one_everybodys(
    revealed_at, seen
):
    people = (None, ADA, OLIVE, ROOT)
    assert [access.may_see_split(one, "private", "digits", revealed_at) for one in people] == seen
    assert all(access.may_see_split(one, "public", "digits", revealed_at) for one in people)
    assert not access.may_see_split(OLIVE, "private", "faces", None)


def test_an_owner_stops_their_first_evaluation_and_an_organiser_any():
    def may(viewer, split, generation):
        return access.may_cancel(viewer, {"ada"}, "digits", split, generation)

    assert [may(one, "public", 1) for one in (ADA, GRACE, OLIVE, ROOT)] == [True, False, True, True]
    for split, generation in (("public", 2), ("private", 1)):
        assert [may(one, split, generation) for one in (ADA, OLIVE, ROOT)] == [False, True, True]


def test_whoever_gains_or_loses_something_has_another_standing():
    standings = {access.standing(one) for one in (ADA, GRACE, OLIVE, ROOT, person("ada", "admin"))}
    assert len(standings) == 5
    assert access.standing(person("olive", "participant", "digits")) == access.standing(OLIVE)
