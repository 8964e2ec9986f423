"""Looking for a line in a log, and what a page says of a bundle before and after it is sent."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import serving
from tests.browser.test_live import open_page
from tests.bundles import zipped
from tests.seeding import GOOD, World

LOG = b"".join(b"epoch %d: loss %.3f\n" % (index, 1 / (index + 1)) for index in range(300))

HELD = """
XMLHttpRequest.prototype.send = function () {
  this.abort = () => this.dispatchEvent(new ProgressEvent("abort"));
  window.sent = (loaded, total) => this.upload.dispatchEvent(new ProgressEvent("progress", { loaded, total }));
};
"""
"""An upload of which nothing goes out by itself: `sent` plays how far it is."""


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    world.person("ada")
    world.competition(n_models=4)
    world.reference(smoke=True)
    return world


@pytest.fixture
def server(world):
    with serving(world) as url:
        yield url


@pytest.fixture
def page(browser, server):
    page = open_page(browser, server, None)
    yield page
    page.context.close()


def choose(page, data, name="bundle.zip"):
    page.get_by_label("Zip file").set_input_files(
        {"name": name, "mimeType": "application/zip", "buffer": data}
    )


def test_a_log_comes_while_the_page_is_open_and_is_searched_by_keyboard(page, world):
    submission = world.submit("ada")
    page.goto(f"/submissions/{submission}")
    expect(page.get_by_text("It has not begun yet.")).to_be_visible()
    world.smoke(LOG, dropped=1234)
    log = page.get_by_role("region", name="Log of the smoke run")
    expect(log).to_contain_text("epoch 299", timeout=60_000)
    expect(page.get_by_text("1,234 bytes were left out in the middle")).to_be_visible()
    search = page.get_by_label("Search the log")
    search.fill("EPOCH 29")
    found = page.locator("#log-found")
    expect(found).to_have_text("1 of 11")
    expect(log.locator("mark.current")).to_be_in_viewport()
    search.press("Enter")
    expect(found).to_have_text("2 of 11")
    search.press("Shift+Enter")
    search.press("Shift+Enter")
    expect(found).to_have_text("11 of 11")
    world.run(1)  # the page is renewed, and the search stays
    expect(page.get_by_role("region", name="Progress")).to_contain_text("1 of 4 runs done", timeout=60_000)
    expect(found).to_have_text("11 of 11")
    assert search.input_value() == "EPOCH 29"
    search.fill("no such words")
    expect(found).to_have_text("not found")
    assert log.locator("mark").count() == 0


def test_a_log_grows_in_place_while_its_run_goes_on(page, world):
    submission = world.submit("ada")
    claim = world.claim_one()
    page.goto(f"/submissions/{submission}")
    expect(page.get_by_text("No output so far.")).to_be_visible()
    page.evaluate("window.stayed = true")
    lines = LOG.decode().splitlines(keepends=True)
    world.print_so_far(claim, "".join(lines[:100]))
    log = page.get_by_role("region", name="Log of the smoke run")
    expect(log).to_contain_text("epoch 99", timeout=60_000)
    page.get_by_label("Search the log").fill("epoch 10:")
    found = page.locator("#log-found")
    expect(found).to_have_text("1 of 1")
    in_view = log.locator("mark.current")
    expect(in_view).to_be_in_viewport()
    place = in_view.bounding_box()["y"]
    world.print_so_far(claim, "".join(lines[:200]))
    expect(log).to_contain_text("epoch 199", timeout=60_000)
    assert in_view.bounding_box()["y"] == pytest.approx(place, abs=2)  # who reads is not moved
    world.smoke(LOG, claim=claim)
    expect(page.get_by_text("300 lines")).to_be_visible(timeout=60_000)
    expect(log).to_contain_text("epoch 299")
    expect(found).to_have_text("1 of 1")
    assert page.get_by_label("Search the log").input_value() == "epoch 10:"
    expect(log.locator("mark.current")).to_be_in_viewport()
    assert page.evaluate("window.stayed")


def test_what_a_log_holds_is_text_however_it_is_searched(page, world):
    submission = world.submit("ada")
    world.smoke(b"<img src=x onerror=alert(1)> one <b>two</b>\n")
    page.goto(f"/submissions/{submission}")
    page.get_by_label("Search the log").fill("<b>")
    expect(page.locator("#log-found")).to_have_text("1 of 1")
    assert page.locator("#log img, #log b").count() == 0


def test_a_file_that_is_no_zip_is_named_when_it_is_chosen_and_nothing_is_sent(page):
    page.goto("/competitions/digits/submit")
    sent = []
    page.on("request", lambda one: sent.append(one) if one.method == "POST" else None)
    choose(page, b"#!/bin/sh\n", "run.sh")
    expect(page.get_by_role("alert")).to_contain_text("not_a_zip")
    choose(page, bytes(100_001))
    expect(page.get_by_role("alert")).to_contain_text("the limit is 0.10 MB")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("bundle_too_large")
    choose(page, zipped(GOOD))
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#upload-checked")).to_contain_text("bundle.zip, 0.")
    assert sent == []


def test_a_refusal_of_the_service_stands_in_place_with_what_to_change(page):
    page.goto("/competitions/digits/submit")
    choose(page, zipped("x = 1"))
    page.get_by_role("button", name="Submit", exact=True).click()
    box = page.get_by_role("alert")
    expect(box).to_contain_text("What to do:")
    expect(box.get_by_role("link", name="missing_entry_function")).to_be_visible()
    assert page.url.endswith("/submit")
    expect(page.get_by_role("button", name="Submit", exact=True)).to_be_enabled()


def test_an_upload_can_be_cancelled_until_all_of_it_is_sent_and_no_longer(page):
    page.add_init_script(HELD)
    page.goto("/competitions/digits/submit")
    choose(page, zipped(GOOD))
    page.get_by_role("button", name="Submit", exact=True).click()
    stop = page.get_by_role("button", name="Cancel the upload")
    expect(stop).to_be_visible()
    page.evaluate("sent(40, 100)")
    expect(page.locator("#upload-said")).to_contain_text("(40 %)")
    stop.click()
    expect(page.get_by_text("Cancelled. Nothing was submitted.")).to_be_visible()
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(stop).to_be_visible()
    page.evaluate("sent(99, 100)")
    expect(stop).to_be_visible()
    page.evaluate("sent(100, 100)")
    expect(page.get_by_text("Sent. Checking the bundle")).to_be_visible()
    expect(stop).to_be_hidden()
    expect(page.get_by_role("button", name="Submit", exact=True)).to_be_disabled()


@pytest.mark.parametrize("path", ["/competitions/digits/submit", "/submissions?competition=digits"])
def test_the_quota_has_a_countdown_to_its_reset(page, path):
    page.goto(path)
    expect(page.locator("#resets")).to_have_text("in 15 h 0 min")
