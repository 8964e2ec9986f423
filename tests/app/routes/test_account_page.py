"""One's account: password, sessions, tokens; and a forgotten password."""

import re
import socket

import pytest
from aiosmtpd.controller import Controller
from starlette.testclient import TestClient

from app import people
from app.db import read_only
from app.main import create_app
from app.models import Token
from app.settings import Settings
from tests.app.test_mail import Letters
from tests.seeding import PASSWORD

OTHER = "battery staple"


def browser(client, agent):
    """Another browser of the same service."""
    return TestClient(
        client.app,
        headers={"Sec-Fetch-Site": "same-origin", "User-Agent": agent},
        follow_redirects=False,
    )


def signed_in(client, agent, password=PASSWORD):
    other = browser(client, agent)
    assert other.post("/sign-in", data={"name": "ada", "password": password}).status_code == 303
    return other


def is_in(one):
    return one.get("/account").status_code == 200


@pytest.fixture
def two(client):
    return signed_in(client, "X11; Linux Firefox/128"), signed_in(client, "Windows Edg/99 Chrome/99 Safari/9")


def test_sessions_are_listed_with_their_browser_and_this_one_is_marked(two):
    page = two[0].get("/account").text
    assert "Firefox on Linux" in page
    assert "Edge on Windows" in page
    [own] = re.findall(r'<tr class="own">(.*?)</tr>', page, re.DOTALL)
    assert "Firefox on Linux" in own
    assert "End<span" not in own


def test_another_session_is_ended_and_this_one_goes_on(two):
    here, there = two
    [path] = re.findall(r'action="(/account/sessions/\w+/end)"', here.get("/account").text)
    assert here.post(path).status_code == 303
    assert (is_in(here), is_in(there)) == (True, False)


def test_all_others_are_ended_at_once(client, two):
    here, there = two
    third = signed_in(client, "iPhone Safari/9")
    assert here.post("/account/sessions/end-others").status_code == 303
    assert [is_in(one) for one in (here, there, third)] == [True, False, False]
    assert "End all others" not in here.get("/account").text


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(client, two):
    here, there = two
    wrong = here.post("/account/password", data={"old": "wrong", "new": OTHER})
    assert (wrong.status_code, "not your password" in wrong.text) == (403, True)
    short = here.post("/account/password", data={"old": PASSWORD, "new": "short"})
    assert (short.status_code, "A password has" in short.text) == (400, True)
    assert is_in(there)
    assert here.post("/account/password", data={"old": PASSWORD, "new": OTHER}).status_code == 303
    assert (is_in(here), is_in(there)) == (True, False)
    assert is_in(signed_in(client, "x", OTHER))
    assert (
        browser(client, "x").post("/sign-in", data={"name": "ada", "password": PASSWORD}).status_code == 401
    )


def test_guesses_at_the_old_password_are_counted_with_those_at_the_sign_in(two):
    here, _ = two
    for _ in range(10):
        assert here.post("/account/password", data={"old": "wrong", "new": OTHER}).status_code == 403
    answer = here.post("/account/password", data={"old": PASSWORD, "new": OTHER})
    assert answer.status_code == 429
    assert "Retry-After" in answer.headers


def test_a_token_with_a_lifetime_ends_and_shows_when(client, world, two):
    here, _ = two
    assert here.post("/account/tokens", data={"label": "x", "days": "-1"}).status_code == 422
    page = here.post("/account/tokens", data={"label": "laptop", "days": "30"}).text
    secret = re.search(r"lethe_[\w-]+", page)[0]
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/account", headers=headers).json()["name"] == "ada"
    world.clock.forward(days=30)
    assert client.get("/api/v1/account", headers=headers).status_code == 401


def last_seen(world, name):
    with read_only(world.engine) as session:
        return session.query(Token.seen_at).filter_by(label=name).order_by(Token.created_at).all()


def test_when_a_token_was_last_used_is_written_at_most_once_an_hour(client, world, bearer, statements):
    def ask():
        world.clock.forward(seconds=30)  # later than anything is trusted without asking
        with statements() as sent:
            assert client.get("/api/v1/account", headers=bearer("ada")).status_code == 200
        return [one for one in sent if one.startswith("UPDATE tokens")]

    assert people.TRUST.total_seconds() < 30
    assert len(ask()) == 1
    first = world.clock()
    assert (ask(), ask()) == ([], [])
    assert (first,) in last_seen(world, "tests")
    world.clock.forward(hours=1)
    assert len(ask()) == 1


def test_an_admins_link_gives_a_new_password_once_and_signs_in(client, world, bearer, two):
    made = client.post("/api/v1/admin/users/ada/reset-link", headers=bearer("root")).json()
    assert made["link"].startswith("/reset?link=lethe_")
    link = made["link"].partition("=")[2]
    fresh = browser(client, "x")
    assert "A new password for ada" in fresh.get(made["link"]).text
    assert fresh.post("/reset", data={"link": link, "password": "short"}).status_code == 400
    answer = fresh.post("/reset", data={"link": link, "password": OTHER})
    assert (answer.status_code, is_in(fresh)) == (303, True)
    assert [is_in(one) for one in two] == [False, False]
    assert fresh.get(made["link"]).status_code == 404
    assert fresh.post("/reset", data={"link": link, "password": OTHER}).status_code == 404


def test_guesses_at_reset_links_are_counted(client):
    for _ in range(50):
        assert client.post("/reset", data={"link": "lethe_guess", "password": OTHER}).status_code == 404
    answer = client.post("/reset", data={"link": "lethe_guess", "password": OTHER})
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)


@pytest.fixture
def mailing(world):
    """The service with a mail server: a client, and what was sent."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(Letters(), hostname="127.0.0.1", port=port)
    controller.start()
    settings = Settings(
        data_dir=world.data_dir,
        smtp_url=f"smtp://127.0.0.1:{port}",
        mail_from="lethe@example.org",
        base_url="https://lethe.example.org",
    )
    application = create_app(settings, clock=world.clock)
    with TestClient(application, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False) as client:
        yield client, controller.handler.kept
    controller.stop()


def test_a_forgotten_password_is_replaced_by_mail(mailing, world):
    client, sent = mailing
    client.post("/sign-in", data={"name": "ada", "password": PASSWORD})
    client.post("/account/email", data={"email": "ada@example.org", "password": PASSWORD})
    client.cookies.clear()
    assert client.post("/forgot", data={"who": "ADA@example.org"}).status_code == 200
    [letter] = sent
    assert letter.rcpt_tos == ["ada@example.org"]
    text = letter.content.decode().replace("=\r\n", "").replace("=3D", "=")
    link = re.search(r"https://lethe\.example\.org(/reset\?link=[\w-]+)", text)[1]
    answer = client.post("/reset", data={"link": link.partition("=")[2], "password": OTHER})
    assert answer.status_code == 303
    assert "ada" in client.get("/account").text


def test_the_answer_never_tells_whether_there_is_an_account(mailing):
    client, sent = mailing
    answers = [client.post("/forgot", data={"who": who}) for who in ("ada", "nobody", "root@example.org")]
    assert {one.status_code for one in answers} == {200}
    assert len({one.text for one in answers}) == 1
    assert sent == []


def test_an_address_that_asks_for_too_many_letters_has_to_wait(mailing, world):
    client, _ = mailing
    for _ in range(10):
        assert client.post("/forgot", data={"who": "nobody"}).status_code == 200
    answer = client.post("/forgot", data={"who": "nobody"})
    assert (answer.status_code, "Too many letters" in answer.text) == (429, True)
    assert "Retry-After" in answer.headers
    world.clock.forward(hours=1)
    assert client.post("/forgot", data={"who": "nobody"}).status_code == 200


def test_without_a_mail_server_the_page_says_whom_to_ask(client):
    assert "Ask an admin" in client.get("/forgot").text
    assert client.post("/forgot", data={"who": "ada"}).status_code == 404
