"""A running site with a week's worth of rows, and the system's own browser."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from app.main import create_app
from app.settings import Settings
from tests.listening import listening
from tests.seeding import World, populate

# a page on a busy machine is waited for; one that never comes fails all the same
expect.set_options(timeout=60_000)


@dataclass
class Site:
    """The service, listening; `ids` are its submissions by what they show."""

    world: World
    url: str
    ids: dict[str, str]


@contextmanager
def serving(world: World, port: int = 0, **settings) -> Iterator[str]:
    """Serve a world; give the address. A port that was served before may be given again."""
    application = create_app(Settings(data_dir=world.data_dir, **settings), clock=world.clock)
    with listening(application, port) as url:
        yield url


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[Site]:
    world = World(tmp_path_factory.mktemp("site"))
    ids = populate(world)
    with serving(world) as url:
        yield Site(world, url, ids)


@contextmanager
def launched(playwright: Playwright, chromium: str | None = None) -> Iterator[Browser]:
    """Run the system's browser."""
    path = chromium or shutil.which("chromium")
    one = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
    yield one
    one.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each file: while it runs, nothing else in its thread can run an event loop."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("the page tests need Chromium: apt-get install -y chromium", pytrace=False)
    with sync_playwright() as playwright, launched(playwright, chromium) as one:
        yield one
