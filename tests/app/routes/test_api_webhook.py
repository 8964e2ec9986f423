"""The webhook by the API: the account's holder sets it, and no token does."""

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.seeding import PASSWORD

HOOK = {"url": "https://example.org/hook"}
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client(world):
    application = create_app(Settings(data_dir=world.data_dir), clock=world.clock)
    with TestClient(application, headers=OWN, follow_redirects=False) as client:
        yield client


def test_a_browser_that_is_signed_in_sets_and_removes_it(client):
    client.post("/sign-in", data={"name": "ada", "password": PASSWORD})
    made = client.put("/api/v1/webhook", json=HOOK)
    assert (made.status_code, made.json()["url"]) == (200, HOOK["url"])
    assert client.get("/api/v1/notices").json()["webhook"]["url"] == HOOK["url"]
    assert client.delete("/api/v1/webhook").json()["webhook"] is None


def test_a_token_neither_sets_nor_removes_it(client, world):
    bearer = {"Authorization": f"Bearer {world.tokens['ada']}"}
    for answer in (
        client.put("/api/v1/webhook", json=HOOK, headers=bearer),
        client.delete("/api/v1/webhook", headers=bearer),
    ):
        assert (answer.status_code, "API token" in answer.text) == (403, True)
    assert client.get("/api/v1/notices", headers=bearer).json()["webhook"] is None
