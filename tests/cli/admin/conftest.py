"""A service as admins and organisers meet it from the command line."""

import pytest

from app.main import create_app
from app.settings import Settings
from tests.listening import listening
from tests.seeding import World


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    world.person("ada")
    world.person("root", "admin")
    world.competition()
    return world


@pytest.fixture
def world(seeded, tmp_path, env):
    """A world that is served, and an environment in which `lethe` is root's."""
    world = seeded.copy(tmp_path / "world")
    application = create_app(Settings(data_dir=world.data_dir), clock=world.clock)
    with listening(application) as url:
        env.setenv("LETHE_URL", url)
        env.setenv("LETHE_TOKEN", world.tokens["root"])
        yield world
