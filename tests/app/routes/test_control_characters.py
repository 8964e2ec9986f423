"""What a database cannot take is refused in words, on both databases, in reads and writes."""

import base64

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.bundles import zipped
from tests.seeding import GOOD, PASSWORD, World


def cursor(position):
    return base64.urlsafe_b64encode(position).decode().rstrip("=")


FORGED = cursor(b"2026-03-02T09:00:00+00:00|a\0b")


@pytest.fixture
def place(engine, tmp_path):
    url = engine.url.render_as_string(hide_password=False)
    world = World(tmp_path, url=url)
    world.person("root", "admin")
    world.competition()
    application = create_app(Settings(data_dir=tmp_path, database_url=url), clock=world.clock)
    headers = {"Sec-Fetch-Site": "same-origin"}
    with TestClient(application, headers=headers, follow_redirects=False) as client:
        yield world, client
    application.state.context.engine.dispose()
    world.engine.dispose()


def test_reads_with_control_characters_or_huge_numbers_are_refused(place):
    world, client = place
    client.headers["Authorization"] = f"Bearer {world.tokens['root']}"
    wanted = {
        "/submissions/a%00b": 404,
        "/competitions/a%00b": 404,
        "/competitions/digits/pages/%1b": 404,
        "/api/v1/submissions/a%00b": 404,
        "/api/v1/submissions/a%0Ab/events": 404,
        "/submissions?competition=%00": 400,
        "/api/v1/submissions?competition=%00": 400,
        f"/api/v1/submissions?cursor={FORGED}": 400,
        f"/admin/evaluations?cursor={FORGED}": 400,
        f"/submissions?cursor={cursor(b'0001-01-01T00:00:00+14:00|a')}": 400,
        f"/api/v1/admin/reruns?cursor={cursor(b'9999-12-31T23:59:59-14:00|a')}": 400,
        "/admin/events?submission=a%00": 400,
        f"/admin/events?before={2**31}": 422,
        f"/admin/events?before={10**40}": 422,
        f"/api/v1/admin/events?after={2**31}": 422,
        f"/api/v1/admin/events?after={2**63}": 422,
        f"/api/v1/admin/events?after={2**31 - 1}": 200,
        f"/admin/events?before={2**31 - 1}": 200,
    }
    assert {path: client.get(path).status_code for path in wanted} == wanted
    assert client.get("/api/v1/submissions/a%00b").json()["code"] == "not_found"
    assert client.get("/api/v1/submissions?competition=%00").json()["code"] == "bad_request"


def test_writes_with_control_characters_are_refused(place):
    world, client = place
    assert client.post("/sign-in", data={"name": "a\0b", "password": PASSWORD}).status_code == 422
    assert client.post("/sign-in", data={"name": "root", "password": "a\0b"}).status_code == 401
    assert client.post("/sign-in", data={"name": "root", "password": PASSWORD}).status_code == 303
    submission = world.submit("root")
    rerun = f"/api/v1/admin/submissions/{submission}/rerun"
    bundles = "/api/v1/competitions/digits/submissions"
    form = {"files": {"bundle": ("b.zip", zipped(GOOD))}, "data": {"note": "a\0b"}}
    half = '{"reason": "\\ud800"}'
    answers = {
        "label": client.post("/account/tokens", data={"label": "a\0b"}),
        "form reason": client.post(f"/admin/submissions/{submission}/rerun", data={"reason": "a\0b"}),
        "json reason": client.post(rerun, json={"reason": "a\0b"}),
        "half a pair": client.post(rerun, content=half, headers={"Content-Type": "application/json"}),
        "form note": client.post("/competitions/digits/submit", **form),
        "query note": client.post(bundles, content=zipped(GOOD), params={"note": "a\0b"}),
        "form finals": client.post("/competitions/digits/finals", data={"submission": "a\0b"}),
        "json finals": client.put("/api/v1/competitions/digits/finals", json={"submission_ids": ["a\0b"]}),
        "key": client.post(bundles, content=zipped(GOOD), headers={"Idempotency-Key": "a\x01b"}),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "label": 422,
        "form reason": 422,
        "json reason": 422,
        "half a pair": 422,
        "form note": 400,
        "query note": 400,
        "form finals": 422,
        "json finals": 422,
        "key": 422,
    }
    assert "control characters" in answers["form note"].text
    assert client.post("/account/tokens", data={"label": "Ada\u2019s \u00e9\U0001f600"}).status_code == 201


@pytest.mark.parametrize(
    ("note", "status"),
    [
        ("\u00a0caf\u00e9 \U0001f468\u200d\U0001f469\u200d\U0001f467", 201),
        ("\U0001f600" * 200, 201),
        ("\U0001f600" * 201, 422),
    ],
)
def test_a_note_counts_characters_and_takes_all_that_are_not_control(place, note, status):
    world, client = place
    headers = {"Authorization": f"Bearer {world.tokens['root']}"}
    url = "/api/v1/competitions/digits/submissions"
    answer = client.post(url, content=zipped(GOOD), params={"note": note}, headers=headers)
    assert answer.status_code == status
    if status == 201:
        assert answer.json()["note"] == note
