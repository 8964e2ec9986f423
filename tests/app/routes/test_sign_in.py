"""Signing in: how often it may fail, and what a session may do that an API token may not."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from app import auth
from app.db import read_only, unit_of_work
from app.models import Event, Token
from tests.seeding import PASSWORD


def attempt(client, name="ada", password=PASSWORD):
    return client.post("/sign-in", data={"name": name, "password": password})


@pytest.fixture
def quick(monkeypatch):
    """Compare passwords without hashing."""
    monkeypatch.setattr(auth._HASHER, "verify", lambda password, _: password == PASSWORD)


def test_after_ten_failures_a_name_has_to_wait_and_others_have_not(client, world, quick):
    for _ in range(10):
        assert attempt(client, password="wrong").status_code == 401
    answer = attempt(client)
    assert answer.status_code == 429
    assert "too_many_attempts" in answer.text
    assert 0 < int(answer.headers["Retry-After"]) <= 301
    assert attempt(client, "grace").status_code == 303
    world.clock.forward(minutes=5)
    assert attempt(client).status_code == 303


def test_after_fifty_failures_with_any_names_an_address_has_to_wait(client, world, quick):
    for number in range(50):
        assert attempt(client, f"guess-{number}").status_code == 401
    assert attempt(client).status_code == 429
    world.clock.forward(minutes=5)
    assert attempt(client).status_code == 303


def test_all_addresses_of_one_ipv6_network_are_counted_as_one(client, world, quick):
    def from_(address, password="wrong"):
        peer = TestClient(client.app, headers=client.headers, client=(address, 50000), follow_redirects=False)
        return attempt(peer, password=password).status_code

    assert {from_(f"2001:db8:1:2::{number:x}") for number in range(10)} == {401}
    assert from_("2001:db8:1:2:ffff::1", PASSWORD) == 429
    assert from_("2001:db8:1:3::1", PASSWORD) == 303
    assert from_("192.0.2.7", PASSWORD) == 303


def test_signing_in_does_not_use_up_attempts(client, quick):
    assert {attempt(client).status_code for _ in range(60)} == {303}


def test_a_password_of_the_greatest_length_signs_in(client, world):
    longest = "p" * auth.MAX_PASSWORD
    with unit_of_work(world.engine) as session:
        auth.create_user(session, "eve", longest, "participant", world.clock())
    assert attempt(client, "eve", longest).status_code == 303


def test_a_session_is_no_bearer_token_and_an_api_token_is_no_session(client, world, sign_in):
    sign_in("ada")
    headers = {"Authorization": f"Bearer {client.cookies['lethe_session']}"}
    client.cookies.clear()
    assert client.get("/api/v1/submissions", headers=headers).status_code == 401
    client.cookies.set("lethe_session", world.tokens["ada"])
    assert client.get("/submissions").headers["Location"] == "/sign-in?next=%2Fsubmissions"


def test_an_api_token_cannot_make_see_or_revoke_tokens(client, world, bearer):
    with read_only(world.engine) as session:
        token_id = session.query(Token.id).first()[0]
    answers = [
        client.get("/account", headers=bearer("ada")),
        client.post("/account/tokens", data={"label": "heir"}, headers=bearer("ada")),
        client.post(f"/account/tokens/{token_id}/revoke", headers=bearer("ada")),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3


def test_signing_in_sweeps_away_ones_own_expired_sessions(client, world, sign_in):
    sign_in("ada")
    world.clock.now += timedelta(days=20)
    sign_in("ada")
    with read_only(world.engine) as session:
        assert session.query(Token).filter_by(kind="session").count() == 1


def test_the_log_knows_of_tokens_that_were_issued_and_revoked(client, world, sign_in):
    sign_in("ada")
    made = client.post("/account/tokens", data={"label": "laptop"})
    token_id = made.text.split("/account/tokens/")[1].split("/")[0]
    client.post(f"/account/tokens/{token_id}/revoke")
    client.post("/sign-out")
    with read_only(world.engine) as session:
        rows = session.query(Event).filter(Event.kind.like("token.%")).order_by(Event.id.desc()).limit(4)
        found = [(event.kind, event.actor, event.detail) for event in rows]
    assert found == [
        ("token.revoked", "ada", "session: browser"),
        ("token.revoked", "ada", found[1][2]),
        ("token.issued", "ada", "api: laptop"),
        ("token.issued", "ada", "session: browser"),
    ]
