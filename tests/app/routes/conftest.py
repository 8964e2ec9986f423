from contextlib import contextmanager

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.seeding import PASSWORD, World


@pytest.fixture(scope="session")
def first_world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    world.person("ada")
    world.person("grace")
    world.person("root", "admin")
    world.competition()
    return world


@pytest.fixture
def world(first_world, tmp_path):
    return first_world.copy(tmp_path)


@pytest.fixture
def client(world):
    """A browser that has not signed in; what it posts comes from our own pages."""
    application = create_app(Settings(data_dir=world.data_dir), clock=world.clock)
    with TestClient(application, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False) as client:
        yield client


@pytest.fixture
def bearer(world):
    """Headers of a program that acts as somebody."""

    def headers(name, **more):
        return {"Authorization": f"Bearer {world.tokens[name]}", **more}

    return headers


@pytest.fixture
def sign_in(client):
    def as_person(name):
        answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text

    return as_person


@pytest.fixture
def statements(client):
    """Collect the SQL that the service sends meanwhile."""

    @contextmanager
    def collected():
        seen = []

        def keep(_connection, _cursor, statement, *_more):
            seen.append(statement)

        engine = client.app.state.context.engine
        event.listen(engine, "before_cursor_execute", keep)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", keep)

    return collected
