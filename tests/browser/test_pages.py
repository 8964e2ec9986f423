"""People's own ways through the pages, in the system's Chromium."""

from contextlib import ExitStack

import httpx
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app import evaluations, submissions
from app.db import unit_of_work
from app.evaluations import RunOutcome
from app.models import Evaluation
from app.streams import PER_PERSON
from tests.bundles import zipped
from tests.grades import N_MODELS
from tests.lending import lend
from tests.processes import wait_until
from tests.seeding import DAY, GOOD, LEASE, PASSWORD, submissions_of


@pytest.fixture
def page(browser, site):
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    yield page
    context.close()


def sign_in(page, name):
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def choose(page, data, name="bundle.zip"):
    page.get_by_label("Zip file").set_input_files(
        {"name": name, "mimeType": "application/zip", "buffer": data}
    )


def test_a_phone_shows_all_of_a_score_without_scrolling_sideways(page, site):
    sign_in(page, "ada")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/submissions/{site.ids['scored']}")
    tables = page.locator(".scroll:has(.explained)")
    assert tables.count() == 2
    for table in tables.all():
        assert table.evaluate("one => one.scrollWidth <= one.clientWidth")
        rows = table.locator("tbody tr").evaluate_all("rows => rows.map(row => row.offsetHeight)")
        assert max(rows) < 160


def test_a_leaderboard_needs_no_scrolling_sideways_on_a_wide_screen(page, site):
    page.set_viewport_size({"width": 1092, "height": 900})  # at 1280 there is room for one more
    page.goto("/competitions/digits/leaderboard")
    table = page.locator(".scroll:has(.board)")
    assert table.evaluate("one => one.scrollWidth <= one.clientWidth")


def test_sign_in_upload_a_zip_and_see_it_queued(page, site):
    sign_in(page, "katherine")
    page.goto("/competitions/digits/submit")
    choose(page, b"not a zip")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("not_a_zip")
    page.complaints.clear()  # the browser notes the 422 itself
    choose(page, zipped(GOOD))
    page.get_by_label("Note").fill("from the browser")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url("**/submissions/*")
    expect(page.get_by_role("status")).to_contain_text("queued")
    expect(page.get_by_text("from the browser")).to_be_visible()
    assert page.complaints == []


def take(site, submission):
    """Claim all runs that are queued, keep those of one submission, and give the others back."""
    world = site.world
    with unit_of_work(world.engine) as session:
        lent = lend(session, worker="w", limit=1000, now=world.clock(), lease=LEASE, queue_due=DAY)
        [wanted] = session.scalars(select(Evaluation.id).where(Evaluation.submission_id == submission))
        for claim in lent:
            if claim.evaluation_id != wanted:
                evaluations.give_back(session, claim, "worker_lost", world.clock(), count_loss=False)
    return [claim for claim in lent if claim.evaluation_id == wanted]


def record(site, claim):
    with unit_of_work(site.world.engine) as session:
        evaluations.record(session, claim, RunOutcome(0.8, "d" * 64), site.world.clock(), LEASE, DAY)


def test_a_submission_page_follows_its_runs_without_reloading(page, site):
    sign_in(page, "grace")
    submission = site.world.submit("grace", "to be watched")
    page.goto(f"/submissions/{submission}")
    page.evaluate("window.stayed = true")
    status = page.get_by_role("status")
    expect(status).to_contain_text("queued")
    expect(page.get_by_text("No run has ended yet.")).to_be_visible()
    first, second, *rest = take(site, submission)
    record(site, first)
    progress = page.get_by_role("region", name="Progress")
    expect(progress).to_contain_text(f"1 of {N_MODELS} runs done")
    status.evaluate("one => { one.dataset.stayed = 'yes' }")
    record(site, second)
    expect(progress).to_contain_text(f"2 of {N_MODELS} runs done")
    expect(status).to_have_attribute("data-stayed", "yes")  # nothing new to read out
    expect(status).to_have_text(f"◐ running The {N_MODELS} runs are under way.")
    expect(page.locator("rect.chart-bar")).to_have_count(2)
    grace = site.world.user("grace")
    with unit_of_work(site.world.engine) as session:
        for claim in rest:
            evaluations.give_back(session, claim, "worker_lost", site.world.clock(), count_loss=False)
        submissions.cancel(session, submission, grace, site.world.clock())
    expect(status).to_contain_text("cancelled")
    expect(page.get_by_text("spent, since runs had started")).to_be_visible()
    assert page.evaluate("window.stayed")
    assert page.complaints == []


def test_a_place_to_follow_comes_back_when_the_follower_leaves(site):
    headers = {"Authorization": f"Bearer {site.world.tokens['ada']}"}
    path = f"{site.url}/api/v1/submissions/{site.ids['running']}/events"

    def follow(stack):
        answer = stack.enter_context(httpx.stream("GET", path, headers=headers, timeout=60))
        lines = answer.iter_lines()
        stack.callback(lines.close)  # a reader that is forgotten closes the stream
        next(lines, None)
        return answer.status_code

    def follow_all():
        with ExitStack() as stack:
            return [follow(stack) for _ in range(PER_PERSON + 1)]

    for _ in range(2):
        wait_until(lambda: follow_all() == [200] * PER_PERSON + [429])


def test_the_form_works_without_scripts(browser, site):
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "barbara")
    page.goto("/competitions/digits/submit")
    choose(page, zipped("x = 1"))
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("missing_entry_function")
    choose(page, zipped(GOOD))
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("queued")
    context.close()


def test_a_flag_on_the_board_leads_to_what_it_means(page, site):
    page.goto("/competitions/digits/leaderboard")
    row = page.get_by_role("row").filter(has_text="barbara")
    expect(row.get_by_role("link")).to_have_count(2)
    row.get_by_role("link", name="clipped").click()
    expect(page.get_by_role("heading", name="Flags")).to_be_in_viewport()
    expect(page.get_by_text("cut off or squashed")).to_be_in_viewport()


def test_the_board_fits_a_laptop_and_shows_place_name_and_score_on_a_phone(page, site):
    page.goto("/competitions/digits/leaderboard")
    board = page.get_by_role("region", name="Leaderboard")
    assert board.evaluate("one => one.scrollWidth <= one.clientWidth")
    page.set_viewport_size({"width": 390, "height": 844})
    rows = board.locator("tbody tr").all()
    assert len(rows) == 4
    for row in rows:
        score = row.locator("td.strong").bounding_box()
        assert score["x"] + score["width"] <= 390


@pytest.mark.parametrize("name", ["ada", "root"])
def test_no_page_scrolls_sideways_on_a_narrow_screen(page, site, name):
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, name)
    paths = [
        f"/submissions/{one}"
        for one in submissions_of(site.ids)
        if name == "root" or one != site.ids["queued"]
    ]
    paths += ["/", "/competitions/digits", "/competitions/digits/leaderboard", "/competitions/digits/submit"]
    paths += ["/submissions", "/account", "/nothing"] + (
        [
            "/admin",
            "/admin/events",
            "/admin/evaluations",
            "/admin/reruns",
            "/admin/entrants",
            "/admin/workers",
        ]
        if name == "root"
        else []
    )
    wide = {}
    for path in paths:
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[path] = width
    assert wide == {}


def test_the_keyboard_reaches_the_content_first_and_sees_where_it_is(page, site):
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    assert skip.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
