"""Signing in through an identity provider, from the button to the session, against a provider of the tests' own."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey
from pydantic import ValidationError
from starlette.testclient import TestClient

from app.db import read_only, unit_of_work
from app.main import create_app
from app.models import Identity, User
from app.settings import Settings
from tests.app.routes.oidc_provider import CLIENT, SECRET, Provider, serving
from tests.seeding import PASSWORD


@pytest.fixture
def provider(world):
    with serving(Provider(world.clock)) as provider:
        yield provider


@pytest.fixture
def client(world, provider):
    settings = Settings(
        data_dir=world.data_dir,
        base_url="https://lethe.example.org",
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        oidc_name="Example",
    )
    application = create_app(settings, clock=world.clock)
    with TestClient(application, follow_redirects=False) as client:
        yield client


def begin(client, target="/", **headers):
    """Press the button; return what the provider is asked."""
    answer = client.get("/sign-in/oidc", params={"next": target}, headers=headers)
    assert answer.status_code == 303, answer.text
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def come_back(client, address):
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}" == "https://lethe.example.org"
    return client.get(f"{parts.path}?{parts.query}", headers={"Sec-Fetch-Site": "cross-site"})


def go_through(client, provider, target="/", **headers):
    return come_back(client, provider.authorize(begin(client, target, **headers)))


def connect(client, provider, password=PASSWORD):
    """Press the button on the account page, then follow the link to the provider and back."""
    own = {"Sec-Fetch-Site": "same-origin"}
    page = client.post("/sign-in/oidc/connect", data={"password": password}, headers=own)
    if page.status_code != 200:
        return page
    onward = re.search(r'class="button" href="([^"]+)"', page.text)[1].replace("&amp;", "&")
    query = {key: values[0] for key, values in parse_qs(urlsplit(onward).query).items()}
    return come_back(client, provider.authorize(query))


def names(world):
    with read_only(world.engine) as session:
        return sorted(name for (name,) in session.query(User.name))


def test_the_first_time_makes_an_account_and_the_second_finds_it(client, provider, world):
    assert "Sign in with Example" in client.get("/sign-in").text
    answer = go_through(client, provider, "/submissions?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/submissions?x=1")
    page = client.get("/account").text
    assert "lovelace" in page
    assert 'value="ada@example.org"' in page
    assert "You sign in elsewhere" in page
    client.cookies.clear()
    provider.person["preferred_username"] = "renamed"
    assert go_through(client, provider).status_code == 303
    assert "lovelace" in client.get("/account").text
    assert names(world) == ["ada", "grace", "lovelace", "root"]


def test_a_name_or_address_that_somebody_has_here_gives_no_way_into_their_account(client, provider, world):
    with unit_of_work(world.engine) as session:
        session.query(User).filter_by(name="root").update({"email": "root@example.org"})
    provider.person |= {"preferred_username": "root", "email": "root@example.org"}
    go_through(client, provider)
    assert "<strong>root-2</strong>, a participant" in client.get("/account").text


def test_somebody_signed_in_connects_their_account_and_comes_in_either_way(client, provider, world):
    own = {"Sec-Fetch-Site": "same-origin"}
    client.post("/sign-in", data={"name": "ada", "password": PASSWORD}, headers=own)
    assert "Sign in with Example too" in client.get("/account").text
    assert connect(client, provider).headers["Location"] == "/account"
    assert "You may sign in with Example too" in client.get("/account").text
    client.cookies.clear()
    go_through(client, provider)
    assert "<strong>ada</strong>" in client.get("/account").text
    assert names(world) == ["ada", "grace", "root"]
    client.cookies.clear()
    client.post("/sign-in", data={"name": "grace", "password": PASSWORD}, headers=own)
    answer = connect(client, provider)
    assert (answer.status_code, "another account" in answer.text) == (409, True)


def test_without_the_password_nothing_is_connected(client, provider, world):
    own = {"Sec-Fetch-Site": "same-origin"}
    client.post("/sign-in", data={"name": "ada", "password": PASSWORD}, headers=own)
    answer = connect(client, provider, "not hers")
    assert (answer.status_code, "not your password" in answer.text) == (403, True)
    address = provider.authorize(begin(client, "/account", **own))
    secret, _, target = client.cookies["lethe_oidc"].split(".", 2)
    client.cookies.clear()
    client.post("/sign-in", data={"name": "ada", "password": PASSWORD}, headers=own)
    client.cookies.set("lethe_oidc", f"{secret}.connect.{target}")
    answer = come_back(client, address)
    assert (answer.status_code, "not begun by you" in answer.text) == (403, True)
    with read_only(world.engine) as session:
        assert session.query(Identity).count() == 0


def test_what_was_connected_is_listed_and_removed_but_never_the_only_way_in(client, provider, world):
    own = {"Sec-Fetch-Site": "same-origin"}
    client.post("/sign-in", data={"name": "ada", "password": PASSWORD}, headers=own)
    connect(client, provider)
    assert f"u-1 at {provider.issuer}" in client.get("/account").text
    form = {"issuer": provider.issuer, "subject": "u-1"}
    for status in (303, 404):
        answer = client.post("/account/identities/remove", data=form, headers=own)
        assert answer.status_code == status
    client.cookies.clear()
    go_through(client, provider)
    assert "<strong>lovelace</strong>" in client.get("/account").text
    answer = client.post("/account/identities/remove", data=form, headers=own)
    assert (answer.status_code, "only way to sign in" in answer.text) == (409, True)


def test_another_sites_link_connects_nobodys_account(client, provider, world):
    own, foreign = {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}
    client.post("/sign-in", data={"name": "ada", "password": PASSWORD}, headers=own)
    go_through(client, provider, "/account", **foreign)
    with read_only(world.engine) as session:
        [name] = session.query(User.name).join(Identity, Identity.user_id == User.id).one()
    assert name == "lovelace"


def test_a_disabled_account_is_not_let_in(client, provider, world):
    go_through(client, provider)
    client.cookies.clear()
    with unit_of_work(world.engine) as session:
        session.query(User).filter_by(name="lovelace").update({"disabled_at": world.clock()})
    answer = go_through(client, provider)
    assert (answer.status_code, "disabled" in answer.text) == (403, True)
    assert client.get("/account").status_code == 303


@pytest.mark.parametrize(
    "spoil",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"iss": "https://elsewhere.example.org"},
        {"exp": 1},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_and_for_now_signs_nobody_in(client, provider, world, spoil):
    provider.spoil = spoil
    answer = go_through(client, provider)
    assert (answer.status_code, "Start again" in answer.text) == (403, True)
    assert names(world) == ["ada", "grace", "root"]
    assert client.get("/account").status_code == 303


def test_a_token_that_another_key_signed_signs_nobody_in(client, provider, world):
    provider.signing_key = RSAKey.generate_key(2048)
    assert go_through(client, provider).status_code == 403
    assert names(world) == ["ada", "grace", "root"]


def test_keys_that_the_provider_has_changed_are_asked_for_again(client, provider, monkeypatch):
    begin(client)
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "second"})
    monkeypatch.setattr("app.oidc._FRESH_SECONDS", 0.0)
    assert go_through(client, provider).status_code == 303


def test_an_answer_without_its_question_is_refused(client, provider, world):
    address = provider.authorize(begin(client))
    client.cookies.clear()  # another browser
    assert come_back(client, address).status_code == 403
    begin(client)  # another question
    assert come_back(client, address).status_code == 403
    assert names(world) == ["ada", "grace", "root"]


def test_a_code_is_good_once_and_only_with_its_verifier(client, provider):
    address = provider.authorize(begin(client))
    cookie = client.cookies["lethe_oidc"]
    assert come_back(client, address).status_code == 303
    client.cookies.clear()
    client.cookies.set("lethe_oidc", cookie)
    assert come_back(client, address).status_code == 403
    query = begin(client)
    address = provider.authorize(query | {"code_challenge": "of somebody else"})
    assert come_back(client, address).status_code == 403


def test_who_says_no_at_the_provider_is_told_to_start_again(client, provider):
    state = begin(client)["state"]
    answer = come_back(
        client, f"https://lethe.example.org/sign-in/oidc/callback?error=access_denied&state={state}"
    )
    assert (answer.status_code, "did not sign you in" in answer.text) == (403, True)


def test_it_never_leads_to_another_host(client, provider):
    for target in ("https://evil.example.org/", "//evil.example.org"):
        assert go_through(client, provider, target).headers["Location"] == "/"


def test_a_provider_that_is_away_or_calls_itself_otherwise_is_a_503(client, provider, monkeypatch):
    monkeypatch.setattr(
        provider, "document", lambda: {"issuer": "https://elsewhere", "jwks_uri": f"{provider.issuer}/keys"}
    )
    answer = client.get("/sign-in/oidc")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert "sign in with a password" in answer.text


def test_addresses_and_keys_are_asked_for_once(client, provider):
    for _ in range(3):
        assert go_through(client, provider).status_code == 303
        client.cookies.clear()
    assert sorted(provider.asked) == ["/.well-known/openid-configuration", "/keys"]


def test_where_there_is_no_provider_there_is_no_button_and_no_way(world):
    application = create_app(Settings(data_dir=world.data_dir), clock=world.clock)
    with TestClient(application, follow_redirects=False) as client:
        assert "/sign-in/oidc" not in client.get("/sign-in").text
        assert client.get("/sign-in/oidc").status_code == 404


def test_half_of_the_settings_is_refused():
    with pytest.raises(ValidationError, match="LETHE_OIDC_CLIENT_ID"):
        Settings(oidc_issuer="https://id.example.org", oidc_client_id="x")
    whole = Settings(
        oidc_issuer="https://id.example.org",
        oidc_client_id="x",
        oidc_client_secret="y",
        base_url="https://l.org",
    )
    assert "client_secret='y'" not in repr(whole)
