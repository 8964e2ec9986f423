"""A submission's page that follows its submission through whatever happens to the stream."""

import re
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import serving
from tests.seeding import PASSWORD, World

PATIENT = 60_000


@pytest.fixture(scope="module")
def first_world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("live"))
    world.person("ada")
    world.person("grace")
    world.competition(n_models=4)
    return world


@pytest.fixture
def world(first_world, tmp_path):
    return first_world.copy(tmp_path)


@pytest.fixture
def server(world):
    with ExitStack() as stack:
        yield stack.enter_context(serving(world))


def open_page(browser, url, path, **more):
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900}, **more)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    if path:
        page.goto(path)
        page.evaluate("window.stayed = true")
    return page


def progress(page):
    return page.get_by_role("region", name="Progress")


def test_a_server_that_restarts_in_the_middle_of_a_stream_costs_the_page_nothing(browser, world):
    submission = world.submit("ada")
    with serving(world) as url:
        page = open_page(browser, url, f"/submissions/{submission}")
        world.run(1)
        expect(progress(page)).to_contain_text("1 of 4 runs done", timeout=PATIENT)
    world.run(2)  # while nobody serves
    asked = []
    page.on("request", lambda one: asked.append(one) if one.url.endswith("/events") else None)
    with serving(world, int(url.rsplit(":", 1)[1])):
        expect(progress(page)).to_contain_text("3 of 4 runs done", timeout=PATIENT)
        assert world.run(1) == "last"
        expect(page.get_by_role("status")).to_contain_text("scoring", timeout=PATIENT)
        world.score(0.08, 0.98, 0.97)
        expect(page.get_by_role("heading", name="Score", exact=True)).to_be_visible(timeout=PATIENT)
        assert page.evaluate("window.stayed")
        assert any(re.fullmatch(r"\d+", one.all_headers().get("last-event-id", "")) for one in asked)
        expect(page.locator("#live-note")).to_be_hidden()
        page.context.close()


@pytest.mark.parametrize("fault", ["refused", "held back"])
def test_a_page_whose_stream_does_not_come_through_polls(browser, world, server, fault):
    submission = world.submit("ada")
    page = open_page(browser, server, None)
    answers = {"refused": lambda route: route.fulfill(status=503), "held back": lambda _route: None}
    page.route("**/events", answers[fault])
    page.goto(f"/submissions/{submission}")
    page.evaluate("window.stayed = true")
    world.run(2)
    expect(progress(page)).to_contain_text("2 of 4 runs done", timeout=PATIENT)
    world.run(2)
    world.score(0.08, 0.98, 0.97)
    expect(page.get_by_role("heading", name="Score", exact=True)).to_be_visible(timeout=PATIENT)
    assert page.evaluate("window.stayed")
    page.context.close()


def test_a_page_that_is_no_longer_ones_own_says_so_and_stops(browser, world, server):
    submission = world.submit("ada")
    page = open_page(browser, server, f"/submissions/{submission}")
    expect(progress(page)).to_contain_text("0 of 4 runs done")
    page.context.clear_cookies()
    world.run(1)
    expect(page.locator("#live-note")).to_contain_text("no longer shown to you", timeout=PATIENT)
    page.context.close()


def test_without_scripts_the_page_has_all_facts_and_a_link_to_reload_and_does_not_reload_itself(
    browser, world, server
):
    submission = world.submit("ada")
    world.lose_one()
    page = open_page(browser, server, None, java_script_enabled=False)
    page.goto(f"/submissions/{submission}")
    assert page.locator("meta[http-equiv=refresh]").count() == 0
    expect(progress(page)).to_contain_text("0 of 4 runs done")
    expect(progress(page)).to_contain_text("Run 1 was lost and waits for another worker: our fault")
    expect(progress(page).locator("[aria-current=step]")).to_contain_text("Runs")
    world.run(2)
    page.get_by_role("link", name="Reload").click()
    expect(progress(page)).to_contain_text("2 of 4 runs done")
    page.context.close()


def test_an_open_table_and_the_focus_stay_while_the_page_is_renewed(browser, world, server):
    submission = world.submit("ada")
    world.run(1)
    page = open_page(browser, server, f"/submissions/{submission}")
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("table", name="Wall seconds of each run")).to_be_visible()
    world.run(1)
    expect(progress(page)).to_contain_text("2 of 4 runs done", timeout=PATIENT)
    expect(page.get_by_role("table", name="Wall seconds of each run")).to_be_visible()
    page.context.close()
