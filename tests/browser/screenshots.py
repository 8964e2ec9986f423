"""Pictures of every page for everybody, light and dark, wide and narrow: python -m tests.browser.screenshots FOLDER [WORDS].

With words, only pages whose route holds one of them.
"""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import launched, serving
from tests.browser.pages import EXAMPLES, PEOPLE, looking
from tests.seeding import World, populate

SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}


def main() -> None:
    folder, *words = sys.argv[1:]
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        world = World(Path(data))
        ids = populate(world)
        with serving(world) as url, launched(playwright) as browser:
            for role, name in PEOPLE.items():
                with looking(browser, url, name) as context:
                    _take(context.new_page(), Path(folder), role, ids, words)


def _take(page: Page, folder: Path, role: str, ids: dict[str, str], words: list[str]) -> None:
    for route, examples in EXAMPLES.items():
        if words and not any(word in route for word in words):
            continue
        for example in examples:
            path = example.format(**ids)
            answer = page.goto(path)
            if answer is None or answer.status != 200 or not page.url.endswith(path):
                continue
            for size, viewport in SIZES.items():
                for colours in ("light", "dark"):
                    page.set_viewport_size(viewport)
                    page.emulate_media(color_scheme=colours)
                    name = re.sub(r"\W+", "-", example).strip("-") or "home"
                    to = folder / f"{size}-{colours}" / f"{name}.{role}.png"
                    page.screenshot(path=to, full_page=True)


if __name__ == "__main__":
    main()
