"""Two people make a team, submit, and stand on the board under its name, all in the browser."""

from contextlib import contextmanager

from playwright.sync_api import expect

from app.db import read_only
from app.models import Evaluation
from tests.browser.test_pages import choose, sign_in
from tests.bundles import zipped
from tests.grades import N_MODELS
from tests.seeding import GOOD


@contextmanager
def someone(browser, site, name):
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    sign_in(page, name)
    yield page
    context.close()


def is_narrow_enough(page):
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_two_people_form_a_team_submit_and_stand_on_the_board_under_its_name(browser, site):
    for name in ("mia", "zoe"):
        site.world.person(name)
    with someone(browser, site, "mia") as mia, someone(browser, site, "zoe") as zoe:
        mia.goto("/competitions/digits")
        mia.get_by_role("navigation", name="Competition").get_by_role("link", name="Team").click()
        mia.get_by_label("Name of the team").fill("The sieve")
        mia.get_by_role("button", name="Create").click()
        expect(mia.get_by_role("heading", name="The sieve")).to_be_visible()
        mia.get_by_label("Invite a person").fill("zoe")
        mia.get_by_role("button", name="Invite").click()
        expect(mia.get_by_role("region", name="Open invitations")).to_contain_text("zoe")
        is_narrow_enough(mia)
        zoe.goto("/")
        zoe.get_by_role("link", name="Answer").click()
        is_narrow_enough(zoe)
        zoe.get_by_role("button", name="Join").click()
        expect(zoe.get_by_role("region", name="Members")).to_contain_text("2 of at most 5 people")
        zoe.goto("/competitions/digits/submit")
        choose(zoe, zipped(GOOD))
        zoe.get_by_role("button", name="Submit", exact=True).click()
        zoe.wait_for_url("**/submissions/*")
        mia.goto(zoe.url)
        expect(mia.get_by_text("By zoe for the team The sieve")).to_be_visible()
        grade(site, zoe.url.rsplit("/", 1)[1])
        mia.goto("/competitions/digits/leaderboard")
        row = mia.get_by_role("row").filter(has_text="The sieve")
        expect(row).to_contain_text("your team")
        for name in ("mia", "zoe"):
            expect(row).to_contain_text(name)
        is_narrow_enough(mia)


def grade(site, submission_id):
    """Play a worker until the submission has a score, whatever else waits before it."""
    with read_only(site.world.engine) as session:
        wanted = session.query(Evaluation.id).filter_by(submission_id=submission_id).scalar()
    for _ in range(20 * N_MODELS):
        if site.world.run(1) == "last" and site.world.last_evaluation == wanted:
            site.world.score(0.0801, 0.98, 0.97)
            return
    raise AssertionError("nobody came to run it")


def test_a_webhook_is_set_tried_and_removed_on_the_page(browser, site):
    site.world.person("ivy")
    with someone(browser, site, "ivy") as ivy:
        ivy.goto("/account")
        ivy.get_by_role("link", name="Notices").click()
        expect(ivy.get_by_text("Nothing has been sent yet.")).to_be_visible()
        ivy.get_by_label("URL of your receiver").fill("https://10.0.0.1/hook")
        ivy.get_by_role("button", name="Set").click()
        expect(ivy.locator("#secret")).to_contain_text("lethe_hook_")
        ivy.get_by_role("button", name="Send a test").click()
        expect(ivy.get_by_role("table", name="Newest first")).to_contain_text("not yet")
        is_narrow_enough(ivy)
        ivy.get_by_role("button", name="Remove").click()
        expect(ivy.get_by_label("URL of your receiver")).to_be_visible()
