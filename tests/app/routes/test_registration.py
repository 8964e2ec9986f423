"""Making an account: closed, by invitation, open; and how often."""

import pytest
from starlette.testclient import TestClient

from app import auth
from app.db import read_only
from app.main import create_app
from app.models import User
from app.settings import Settings
from tests.seeding import PASSWORD

INVITATIONS = "/api/v1/admin/invitations"


@pytest.fixture(params=["closed", "invitation", "open"])
def registration(request):
    return request.param


@pytest.fixture
def client(world, registration):
    settings = Settings(
        data_dir=world.data_dir, registration=registration, base_url="https://lethe.example.org"
    )
    application = create_app(settings, clock=world.clock)
    with TestClient(application, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False) as client:
        yield client


@pytest.fixture
def quick(monkeypatch):
    """Hash nothing."""
    monkeypatch.setattr(auth._HASHER, "hash", lambda password: f"hash of {len(password)}")


def register(client, name="newcomer", password=PASSWORD, **more):
    return client.post("/register", data={"name": name, "password": password, **more})


def invite(client, bearer, **wanted):
    answer = client.post(INVITATIONS, json=wanted, headers=bearer("root"))
    assert answer.status_code == 201, answer.text
    return answer.json()


def secret_of(made):
    assert made["link"].startswith("https://lethe.example.org/register?invitation=lethe_")
    return made["link"].partition("=")[2]


def names(world):
    with read_only(world.engine) as session:
        return {name for (name,) in session.query(User.name)}


only = pytest.mark.parametrize


@only("registration", ["closed"])
def test_where_it_is_closed_nobody_makes_an_account_not_even_by_invitation(client, world, bearer):
    secret = secret_of(invite(client, bearer))
    for path in ("/register", f"/register?invitation={secret}"):
        assert client.get(path).status_code == 403
    assert register(client).status_code == register(client, invitation=secret).status_code == 403
    assert "newcomer" not in names(world)
    assert "made by the organisers: ask them" in client.get("/sign-in").text


@only("registration", ["invitation"])
def test_an_invitation_makes_one_account_which_is_signed_in_at_once(client, world, bearer):
    assert client.get("/register").status_code == register(client).status_code == 403
    made = invite(client, bearer, label="first row", email="new@example.org")
    form = client.get(f"/register?invitation={secret_of(made)}").text
    assert 'value="new@example.org"' in form
    answer = register(client, email="other@example.org", invitation=secret_of(made))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "newcomer" in client.get("/account").text
    assert 'value="other@example.org"' in client.get("/account").text
    client.cookies.clear()
    again = register(client, "second", invitation=secret_of(made))
    assert (again.status_code, "was used" in again.text) == (404, True)
    [listed] = client.get(INVITATIONS, headers=bearer("root")).json()["items"]
    assert (listed["state"], listed["used_by"], listed["made_by"]) == ("used", "newcomer", "root")


@only("registration", ["invitation"])
def test_what_will_not_do_shows_the_form_again_and_the_link_is_still_good(client, world, bearer):
    secret = secret_of(invite(client, bearer))
    for wrong, words in (
        ({"name": "ada"}, "is taken"),
        ({"name": "a b"}, "A name has"),
        ({"password": "short"}, "A password has"),
        ({"email": "nowhere"}, "not an e-mail address"),
    ):
        answer = register(client, **{"invitation": secret} | wrong)
        assert answer.status_code in {400, 409}
        assert words in answer.text
        assert f'value="{secret}"' in answer.text
    assert register(client, invitation=secret).status_code == 303


@only("registration", ["invitation"])
def test_an_invited_admin_is_one_and_an_invitation_can_be_taken_back(client, world, bearer):
    made = invite(client, bearer, role="admin", days=1)
    assert register(client, invitation=secret_of(made)).status_code == 303
    assert client.get("/admin").status_code == 200
    made = invite(client, bearer)
    assert client.delete(f"{INVITATIONS}/{made['id']}", headers=bearer("root")).status_code == 204
    assert client.delete(f"{INVITATIONS}/{made['id']}", headers=bearer("root")).status_code == 409
    assert register(client, "second", invitation=secret_of(made)).status_code == 404
    made = invite(client, bearer, days=1)
    world.clock.forward(days=1)
    assert register(client, "third", invitation=secret_of(made)).status_code == 404
    states = [one["state"] for one in client.get(INVITATIONS, headers=bearer("root")).json()["items"]]
    assert sorted(states) == ["expired", "revoked", "used"]


@only("registration", ["open"])
def test_where_it_is_open_anybody_makes_an_account_but_no_admin(client, world):
    assert 'href="/register"' in client.get("/sign-in").text
    assert register(client, role="admin").status_code == 303
    assert client.get("/admin").status_code == 403


@only("registration", ["open"])
def test_an_address_that_asks_for_too_many_accounts_has_to_wait(client, world, quick):
    for number in range(30):
        assert register(client, f"n{number}").status_code == 303
    answer = register(client, "one-more")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 3601
    assert "Too many accounts" in answer.text
    world.clock.forward(hours=1)
    assert register(client, "one-more").status_code == 303


@only("registration", ["open"])
def test_another_sites_form_makes_no_account(client, world):
    answer = client.post(
        "/register", data={"name": "n", "password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert "n" not in names(world)
