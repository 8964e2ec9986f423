"""An admin's own way through the pages, in the system's Chromium, with the keyboard and without scripts."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import serving
from tests.browser.test_pages import sign_in
from tests.seeding import World


@pytest.fixture
def world(tmp_path):
    """Ada stands before Grace."""
    world = World(tmp_path)
    for name in ("ada", "grace"):
        world.person(name)
    world.person("root", "admin")
    world.competition()
    world.scored("ada", 0.08, 0.98, 0.97)
    world.scored("grace", 0.06, 0.98, 0.97)
    return world


@pytest.fixture
def page(browser, world):
    with serving(world) as url:
        context = browser.new_context(base_url=url, java_script_enabled=False)
        page = context.new_page()
        sign_in(page, "root")
        yield page
        context.close()


def board(page):
    page.goto("/competitions/digits/leaderboard")
    rows = page.get_by_role("region", name="Leaderboard").locator("tbody tr").all_inner_texts()
    return [name for row in rows for name in ("ada", "grace") if name in row]


def test_an_admin_filters_reruns_many_looks_who_would_move_and_applies(page, world):
    assert board(page) == ["ada", "grace"]
    page.get_by_role("link", name="Admin").click()
    page.get_by_role("link", name="Evaluations", exact=True).click()
    page.get_by_label("Verdict").select_option("scored")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**verdict=scored**")
    for tick in page.get_by_role("checkbox").all():
        tick.focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Rerun…").press("Enter")
    expect(page.get_by_role("heading", name="Grade again: 2 submissions")).to_be_visible()
    page.get_by_label("Why?").fill("a driver gave wrong numbers")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/reruns/*")
    expect(page.get_by_role("status")).to_contain_text("0 of 2 ended")
    expect(page.get_by_role("button", name="Apply all")).to_have_count(0)
    for forgetting in (0.05, 0.07):
        world.run(4)
        world.score(forgetting, 0.98, 0.97)
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", name="Who would move: digits, public split")).to_be_visible()
    expect(page.get_by_role("table").first.get_by_role("row")).to_have_count(3)
    assert board(page) == ["ada", "grace"]
    page.go_back()
    page.get_by_role("button", name="Apply all").click()
    expect(page.get_by_text("Applied by root")).to_be_visible()
    scores = page.get_by_role("table").last.locator("td.strong").all_inner_texts()
    assert len(scores) == 2
    page.goto("/competitions/digits/leaderboard")
    assert all(page.get_by_text(score).count() for score in scores)


def test_an_admin_disqualifies_a_submission_and_reinstates_it(page, world):
    page.goto("/competitions/digits/leaderboard")
    page.goto("/admin/evaluations?person=ada")
    page.get_by_role("link", name="Disqualify").click()
    page.get_by_label("Why disqualify it?").fill("the bundle carries weights from elsewhere")
    page.get_by_role("button", name="Disqualify").click()
    expect(page.get_by_role("heading", name="This submission is disqualified")).to_be_visible()
    where = page.url
    assert board(page) == ["grace"]
    page.goto(where)
    page.get_by_label("Why let it count again?").fill("they are its own")
    page.get_by_role("button", name="Reinstate").click()
    expect(page.get_by_role("heading", name="This submission is disqualified")).to_have_count(0)
    assert board(page) == ["ada", "grace"]
    page.goto("/admin/events?kind=submission.")
    expect(page.get_by_text("they are its own")).to_be_visible()


def test_a_rerun_under_way_is_shown_anew_by_itself_but_not_while_somebody_types(browser, world):
    rerun = world.rerun(world.scored("ada", 0.07, 0.98, 0.97))
    with serving(world) as url:
        page = browser.new_context(base_url=url).new_page()
        page.clock.install()
        sign_in(page, "root")
        page.goto(f"/admin/reruns/{rerun}")
        page.locator("summary").click()
        page.get_by_label("Why?").fill("it hangs")
        world.run(4)
        world.score(0.05, 0.98, 0.97)
        page.clock.fast_forward("00:11")
        expect(page.get_by_role("status")).to_contain_text("0 of 1 ended")
        expect(page.get_by_label("Why?")).to_have_value("it hangs")
        page.locator("summary").click()
        page.get_by_role("heading", name="Its submissions").click()  # nothing has the focus any more
        with page.expect_response(f"**/admin/reruns/{rerun}"):
            page.clock.fast_forward("00:11")
        expect(page.get_by_role("button", name="Apply all")).to_be_visible()
        page.context.close()
