"""From an invitation to an account, its sessions and its password, in the system's Chromium."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import serving
from tests.browser.pages import looking
from tests.seeding import World

FIRST, SECOND = "correct horse battery", "a better one than that"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A service that takes people by invitation."""
    world = World(tmp_path_factory.mktemp("accounts"))
    world.person("root", "admin")
    world.competition()
    with serving(world, registration="invitation") as url:
        yield url


def sign_in(page, name, password):
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def invite(admin):
    """Make a link as an admin does, and read it off the page."""
    admin.goto("/admin/invitations")
    admin.get_by_label("For whom?").fill("the first row")
    admin.get_by_role("button", name="Make a link").click()
    return re.search(r"/register\?invitation=\S+", admin.get_by_role("status").inner_text())[0]


def test_an_invited_visitor_registers_changes_the_password_and_ends_the_other_session(browser, place):
    with looking(browser, place, "root") as admins, looking(browser, place, None) as window:
        link = invite(admins.new_page())
        here = window.new_page()
        here.goto(link)
        here.get_by_label("Name").fill("newcomer")
        here.get_by_label("Password").fill(FIRST)
        here.get_by_role("button", name="Make the account").click()
        expect(here.get_by_role("link", name="newcomer")).to_be_visible()
        with looking(browser, place, None) as elsewhere:
            there = elsewhere.new_page()
            sign_in(there, "newcomer", FIRST)
            expect(there.get_by_role("link", name="newcomer")).to_be_visible()
            here.goto("/account")
            sessions = here.get_by_role("region", name="Where you are signed in")
            expect(sessions.get_by_role("row")).to_have_count(3)
            expect(sessions.get_by_role("row").filter(has_text="this one")).to_have_count(1)
            sessions.get_by_role("button", name=re.compile("^End Chrome")).click()
            expect(sessions.get_by_role("row")).to_have_count(2)
            there.goto("/account")
            expect(there.get_by_role("heading", name="Sign in")).to_be_visible()
            sign_in(there, "newcomer", FIRST)
            here.get_by_label("The one you have").fill(FIRST)
            here.get_by_label("The new one").fill(SECOND)
            here.get_by_role("button", name="Change it").click()
            expect(here.get_by_role("heading", name="Account")).to_be_visible()
            there.goto("/account")
            expect(there.get_by_role("heading", name="Sign in")).to_be_visible()
            sign_in(there, "newcomer", FIRST)
            expect(there.get_by_role("alert")).to_contain_text("The name or the password is wrong")
            sign_in(there, "newcomer", SECOND)
            expect(there.get_by_role("link", name="newcomer")).to_be_visible()
        here.goto(link)
        expect(here.get_by_role("main")).to_contain_text("it was used")


def test_an_admin_finds_somebody_and_makes_them_organiser(browser, place):
    with looking(browser, place, "root") as window:
        page = window.new_page()
        page.goto("/admin/users")
        page.get_by_label("Name or address").fill("new")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="newcomer").click()
        page.get_by_label("Competition").select_option("digits")
        page.get_by_role("button", name="Make organiser").click()
        expect(page.get_by_role("link", name="digits")).to_be_visible()
        page.get_by_role("button", name="Take back digits").click()
        expect(page.get_by_role("link", name="digits")).to_have_count(0)
