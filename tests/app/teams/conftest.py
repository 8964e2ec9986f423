"""People, and two teams."""

import pytest

from app import teams
from app.db import unit_of_work
from tests.app.conftest import NOW


@pytest.fixture
def do(world):
    """Change a team in a transaction of its own."""

    def change(what, *words, at=NOW):
        with unit_of_work(world.engine) as session:
            return what(session, *words, at)

    return change


@pytest.fixture
def grace(world):
    return world.user("grace")


@pytest.fixture
def eve(world):
    return world.user("eve")


@pytest.fixture
def sieve(do, ada):
    return do(teams.create, "digits", "The sieve", ada)


@pytest.fixture
def colander(do, grace, eve):
    team = do(teams.create, "digits", "The colander", grace)
    do(teams.accept, do(teams.invite, "digits", "eve", grace).id, eve)
    return team
