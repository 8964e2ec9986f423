"""Every page, for everybody, in light and dark, wide and narrow: axe's rules, the keyboard, and the bones of a page."""

from collections import defaultdict
from contextlib import ExitStack
from itertools import pairwise

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from app.main import create_app
from app.settings import Settings
from tests.browser.pages import EXAMPLES, NO_PAGES, PEOPLE, looking, page_routes

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
VIEWS = (("light", WIDE, None), ("dark", NARROW, None), ("dark", WIDE, COLOURS), ("light", NARROW, COLOURS))
"""Colours, size, and those of axe's rules that can differ from the views before; None is all of them."""
everybody = pytest.mark.parametrize("role", PEOPLE)
every_page = pytest.mark.parametrize("route", EXAMPLES)


def test_every_page_has_addresses_to_look_at(tmp_path):
    found = page_routes(create_app(Settings(data_dir=tmp_path))) - NO_PAGES
    missing = sorted(found - set(EXAMPLES))
    assert not missing, "add to EXAMPLES in tests/browser/pages.py:\n" + "\n".join(
        f'    "{route}": ("{route}",),' for route in missing
    )
    gone = sorted(set(EXAMPLES) - found)
    assert not gone, (
        f"no route is any of these any more: take them out of EXAMPLES in tests/browser/pages.py: {gone}"
    )


@pytest.fixture(scope="module")
def windows(browser, site):
    """A page of each person's own, signed in once; what it shows stays as it came."""
    with ExitStack() as stack:
        found = {
            role: stack.enter_context(looking(browser, site.url, name, viewport=WIDE)).new_page()
            for role, name in PEOPLE.items()
        }
        for page in found.values():
            page.route("**/api/**/events", lambda route: route.abort())
        yield found


@pytest.fixture(scope="module")
def looked_at():
    """What each test has looked at so far."""
    return defaultdict(set)


@pytest.fixture
def opened(windows, site, role, route, request, looked_at):
    """The pages of a route that somebody may see, one after the other; what is the same for several people, once."""
    before = looked_at[request.function]

    def one_by_one():
        page = windows[role]
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")
        for example in EXAMPLES[route]:
            path = example.format(**site.ids)
            answer = page.goto(path)
            if answer.status == 200 and page.url == site.url + path:
                content = page.locator("main").inner_html()
                if content not in before:
                    before.add(content)
                    yield page

    return one_by_one


@everybody
@every_page
def test_axe_finds_nothing_serious_and_no_page_scrolls_sideways(opened):
    found = []
    for page in opened():
        page.evaluate(AXE_SCRIPT)
        for colours, size, rules in VIEWS:
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=colours)
            where = f"{page.url} {colours} {size['width']}"
            found += [f"{where}: {one}" for one in axe(page, rules)]
            if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
                found.append(f"{where}: it scrolls sideways")
    assert not found, "\n".join(found)


def axe(page, rules):
    """Run rules of axe-core; return what is serious, in words."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    violations = page.evaluate("options => axe.run(options).then(found => found.violations)", options)
    return [
        f"{one['id']} at {node['target']}: {node['html'][:150]}"
        for one in violations
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


@everybody
@every_page
def test_a_page_has_one_heading_a_title_a_language_and_landmarks(opened):
    for page in opened():
        bones = page.evaluate(BONES)
        assert bones.pop("title").endswith("Lethe"), page.url
        assert bones == {
            "lang": "en",
            "h1": 1,
            "main": 1,
            "banner": 1,
            "contentinfo": 1,
            "unnamed": 0,
            "jumps": 0,
        }, page.url


BONES = """() => {
  const count = (selector) => document.querySelectorAll(selector).length;
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((one) => Number(one.tagName[1]));
  return {
    title: document.title, lang: document.documentElement.lang, h1: count("h1"), main: count("main"),
    banner: count("body > header"), contentinfo: count("body > footer"),
    unnamed: count("nav:not([aria-label], [aria-labelledby]), table:not(:has(caption), .prose table), [role=region]:not([aria-label], [aria-labelledby])"),
    jumps: levels.filter((level, index) => index && level > levels[index - 1] + 1).length,
  };
}"""
"""Counts of what each page has one of, of what has no name, and of headings that leave out a level."""


@everybody
@every_page
def test_tab_goes_through_a_page_as_it_reads_and_shows_where_it_is(opened):
    for page in opened():
        reachable, dates = page.evaluate(WATCH)
        for _ in range(reachable + 3 * dates):  # a date has a stop each for month, day, year and picker
            page.keyboard.press("Tab")
        steps = page.evaluate("stops")
        assert [one["index"] for one in steps] == list(range(reachable)), page.url
        unseen = [one["html"] for one in steps if not one["seen"]]
        assert not unseen, f"{page.url}: no outline, or out of view: {unseen}"
        back = [one["html"] for before, one in pairwise(steps) if jumps_back(before, one)]
        assert not back, f"{page.url}: the focus goes back up to {back}"


def jumps_back(before, after):
    """Whether the second stop is above the first and not in another column beside it."""
    return after["bottom"] <= before["top"] and after["left"] < before["right"]


WATCH = """() => {
  const wanted = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const all = [...document.querySelectorAll(wanted)].filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility({
    contentVisibilityAuto: true, visibilityProperty: true }));
  window.stops = [];
  document.addEventListener("focusin", (event) => {
    const one = event.target, box = one.getBoundingClientRect(), style = getComputedStyle(one);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    window.stops.push({
      index: all.indexOf(one), html: one.outerHTML.slice(0, 120),
      seen: outlined && box.bottom > 0 && box.top < innerHeight,
      top: box.top + scrollY, bottom: box.bottom + scrollY, left: box.left, right: box.right,
    });
  });
  return [all.length, all.filter((one) => one.type === "date").length];
}"""
"""Notes each stop of the focus, with its place among all that can be reached in the document's order."""


@everybody
@every_page
def test_the_first_stop_leads_past_the_navigation(opened):
    for page in opened():
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()
        break  # the same on all addresses of a route
