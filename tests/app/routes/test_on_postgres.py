import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.seeding import PASSWORD, World, populate, submissions_of


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_every_page_and_read_of_the_api_works_on_postgres_too(engine, tmp_path):
    url = engine.url.render_as_string(hide_password=False)
    world = World(tmp_path, url=url)
    ids = populate(world)
    settings = Settings(data_dir=tmp_path, database_url=url)
    application = create_app(settings, clock=world.clock)
    paths = ["/", "/competitions/digits", "/competitions/digits/leaderboard", "/competitions/digits/submit"]
    paths += [
        "/submissions",
        "/account",
        "/admin",
        "/admin/evaluations?status=done&worker=w&device=d&person=ada&since=2026-01-01&until=2026-12-31",
        "/admin/events?kind=run.",
        "/admin/reruns",
        "/admin/entrants",
        "/healthz",
    ]
    paths += [f"/submissions/{one}" for one in submissions_of(ids)]
    paths += [f"/api/v1/submissions/{one}" for one in submissions_of(ids)]
    paths += ["/api/v1/submissions", "/api/v1/competitions", "/api/v1/admin/events"]
    paths += ["/api/v1/competitions/digits/leaderboard", "/api/v1/competitions/digits/leaderboard.csv"]
    with TestClient(application, headers={"Sec-Fetch-Site": "same-origin"}) as client:
        assert client.post("/sign-in", data={"name": "root", "password": PASSWORD}).status_code == 200
        answers = {path: client.get(path).status_code for path in paths}
        first = client.get("/api/v1/submissions").json()
    assert {path: status for path, status in answers.items() if status != 200} == {}
    assert first["items"] == []
    application.state.context.engine.dispose()
    world.engine.dispose()
