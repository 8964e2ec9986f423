"""Every page: on an installation where nothing has happened yet, and its times."""

import re
from datetime import datetime

import pytest
from starlette.testclient import TestClient

from app.errors import Busy
from app.main import create_app
from app.settings import Settings
from tests.browser.pages import EXAMPLES
from tests.seeding import PASSWORD, World, populate

LISTS = (
    "/",
    "/admin/calibrations",
    "/admin/entrants",
    "/admin/evaluations",
    "/admin/reruns",
    "/admin/workers",
    "/submissions",
)
"""Pages that are lists, with nothing to list on a new installation."""


def signed_in(world, name):
    application = create_app(Settings(data_dir=world.data_dir), clock=world.clock)
    client = TestClient(application, headers={"Sec-Fetch-Site": "same-origin"})
    client.post("/sign-in", data={"name": name, "password": PASSWORD}).raise_for_status()
    return client


@pytest.fixture(scope="module")
def new(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("new"))
    world.person("root", "admin")
    with signed_in(world, "root") as client:
        yield client


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_list_says_why_and_what_to_do_next(new, path):
    answer = new.get(path)
    assert answer.status_code == 200
    boxes = re.findall(r'<div class="box empty">(.*?)</div>', answer.text, re.DOTALL)
    assert boxes, answer.text
    for box in boxes:
        assert 'class="box-title"' in box
        assert len(re.findall("<p", box)) >= 2, f"{path}: it does not say what to do next"


def test_every_page_of_a_new_installation_answers(new):
    refused = {}
    for route in EXAMPLES:
        if "{" not in route:
            answer = new.get(route)
            if answer.status_code not in {200, 403, 404}:
                refused[route] = answer.status_code
    assert refused == {}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """What an admin sees of every page after a week, by address."""
    world = World(tmp_path_factory.mktemp("week"))
    ids = populate(world)
    with signed_in(world, "root") as client:
        found = {path: client.get(path.format(**ids)) for paths in EXAMPLES.values() for path in paths}
        return {path: answer.text for path, answer in found.items() if answer.status_code == 200}


def test_every_time_is_utc_relative_and_for_machines(pages):
    seen = 0
    for path, text in pages.items():
        without = re.sub(
            r"<pre.*?</pre>|<svg.*?</svg>|<time.*?</time>|<code.*?</code>", "", text, flags=re.DOTALL
        )
        main = re.search(r"<main.*</main>", without, re.DOTALL)[0]
        if not path.startswith("/docs"):
            loose = re.findall(r"(?<![=\"\w-])20\d\d-\d\d-\d\d \d\d:\d\d", re.sub(r"<[^>]*>", "", main))
            assert not loose, f"{path}: times outside of <time>: {loose}"
        for stamp in re.findall(r'<time[^>]*datetime="([^"]*)"', text):
            assert datetime.fromisoformat(stamp).tzinfo is not None, f"{path}: {stamp}"
            seen += 1
    assert seen > 100


def test_every_page_has_a_title_of_its_own(pages):
    titles = {}
    for path, text in pages.items():
        title = re.search(r"<title>(.*?)</title>", text, re.DOTALL)[1]
        titles.setdefault(title, set()).add(path.split("?")[0])
    shared = {title: paths for title, paths in titles.items() if len(paths) > 1}
    assert shared == {}


def refusal(client, path, status):
    answer = client.get(path, headers={"X-Request-Id": "a-request-of-mine"})
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("text/html")
    return answer


def test_a_page_that_is_refused_says_why_what_to_do_and_where_to_go(client, sign_in, monkeypatch):
    def broken(*_anything):
        raise RuntimeError("a secret of the inside")

    def busy(*_anything):
        raise Busy("Too much at once.", advice="Try again in a few seconds.", retry_after=5)

    sign_in("ada")
    answers = [
        refusal(client, "/nothing", 404),
        refusal(client, "/submissions/0000", 404),
        refusal(client, "/admin", 403),
        refusal(client, "/submissions?cursor=bm9wZQ", 400),
        refusal(client, "/admin/events?before=x", 403),
    ]
    monkeypatch.setattr("app.routes.pages.competitions.listing", broken)
    answers.append(refusal(client, "/", 500))
    monkeypatch.setattr("app.routes.pages.competitions.listing", busy)
    answers.append(refusal(client, "/", 503))
    assert answers[-1].headers["Retry-After"] == "5"
    for answer in answers:
        main = re.search(r"<main.*</main>", answer.text, re.DOTALL)[0]
        assert len(re.findall("<h1", main)) == 1
        assert "a-request-of-mine" in main
        assert re.search(r'<a class="button[^"]*" href="/', main), "it leads nowhere"
        assert "secret" not in main
        ours = "whose fault: ours, nothing is charged" in main
        assert ours == (answer.status_code >= 500)
        theirs = "nobody&#39;s" if answer.status_code == 404 else "yours"
        assert ours or f"whose fault: {theirs}" in main
        assert re.search(r'<a href="/problems#(\w+)"><code>\1</code>', main), "its code is not explained"
        assert "/sign-in" not in answer.text, "it asks to sign in again"


def test_a_page_for_people_who_are_signed_in_leads_to_the_sign_in_and_back(client):
    answer = client.get("/submissions?competition=digits")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=%2Fsubmissions%3Fcompetition%3Ddigits"


def test_too_many_wrong_passwords_are_refused_on_the_form_with_how_long_to_wait(client):
    for _ in range(30):
        answer = client.post("/sign-in", data={"name": "ada", "password": "wrong"})
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert 'role="alert"' in answer.text
    assert "What to do" in answer.text
