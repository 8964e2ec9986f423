"""Plots in the system's Chromium: readable on a telephone, in light and dark, by keyboard, without script."""

import pytest
from playwright.sync_api import expect

from tests.seeding import PASSWORD

PICTURES = "svg.chart"
LEAST_PIXELS = 10.0


def opened(browser, site, path, **context):
    page = browser.new_context(base_url=site.url, **context).new_page()
    page.goto("/sign-in")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    page.goto(path)
    return page


@pytest.fixture(params=["submission", "board"])
def path(request, site):
    return (
        f"/submissions/{site.ids['scored']}"
        if request.param == "submission"
        else "/competitions/digits/leaderboard"
    )


def test_labels_are_large_enough_on_a_telephone_and_stay_in_their_picture(browser, site, path):
    page = opened(browser, site, path, viewport={"width": 390, "height": 844})
    assert page.locator(PICTURES).count() >= 3
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    for picture in page.locator(PICTURES).all():
        frame = picture.bounding_box()
        for label in picture.locator("text").all():
            box = label.bounding_box()
            assert box["height"] >= LEAST_PIXELS, label.inner_html()
            assert box["x"] >= frame["x"] - 1, label.inner_html()
            assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1, label.inner_html()


def test_pictures_follow_light_and_dark(browser, site, path):
    seen = set()
    for scheme in ("light", "dark"):
        page = opened(browser, site, path, color_scheme=scheme)
        seen.add(page.locator(".chart-label").first.evaluate("one => getComputedStyle(one).fill"))
    assert len(seen) == 2


def test_tables_open_by_keyboard_and_without_script(browser, site, path):
    page = opened(browser, site, path, java_script_enabled=False)
    summary = page.locator(".chart-table summary").first
    table = page.locator(".chart-table table").first
    expect(table).to_be_hidden()
    summary.focus()
    page.keyboard.press("Enter")
    expect(table).to_be_visible()


def test_every_picture_has_a_name_and_a_description(browser, site, path):
    page = opened(browser, site, path)
    for picture in page.locator(PICTURES).all():
        title, words = picture.get_attribute("aria-labelledby").split()
        expect(page.locator(f"#{title}")).to_have_count(1)
        expect(page.locator(f"#{words}")).to_contain_text("table below")
