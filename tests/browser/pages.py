"""Every page that the service has, with addresses to look at it, and the people who look."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Browser, BrowserContext

from tests.seeding import PASSWORD

PEOPLE = {"visitor": None, "participant": "ada", "organiser": "olive", "admin": "root"}
"""Roles, and who of the seeded world has them."""

EXAMPLES = {
    "/": ("/",),
    "/account": ("/account",),
    "/account/notices": ("/account/notices",),
    "/admin": ("/admin",),
    "/admin/competitions/{slug}/entrants/{name}": ("/admin/competitions/digits/entrants/ada",),
    "/admin/calibrations": ("/admin/calibrations",),
    "/admin/entrants": ("/admin/entrants", "/admin/entrants?name=nobody"),
    "/admin/invitations": ("/admin/invitations",),
    "/admin/users": ("/admin/users", "/admin/users?search=nobody"),
    "/admin/users/{name}": ("/admin/users/ada", "/admin/users/root"),
    "/forgot": ("/forgot",),
    "/organise": ("/organise",),
    "/organise/{slug}": ("/organise/digits",),
    "/organise/{slug}/entrants": ("/organise/digits/entrants",),
    "/organise/{slug}/evaluations/{act}": ("/organise/digits/evaluations/rerun?all=yes",),
    "/organise/{slug}/reruns": ("/organise/digits/reruns",),
    "/organise/{slug}/calibrations": ("/organise/digits/calibrations",),
    "/register": ("/register",),
    "/reset": ("/reset",),
    "/admin/evaluations": (
        "/admin/evaluations",
        "/admin/evaluations?status=done",
        "/admin/evaluations?status=scoring",
    ),
    "/admin/evaluations/{act}": ("/admin/evaluations/rerun?all=yes", "/admin/evaluations/cancel?all=yes"),
    "/admin/reruns": ("/admin/reruns",),
    "/admin/reruns/{rerun_id}": ("/admin/reruns/{rerun}",),
    "/admin/events": ("/admin/events", "/admin/events?submission={scored}", "/admin/events?before=1"),
    "/admin/workers": ("/admin/workers",),
    "/competitions/{slug}": ("/competitions/digits", "/competitions/faces"),
    "/competitions/{slug}/compare": (
        "/competitions/digits/compare",
        "/competitions/digits/compare?a={scored}&b={rival}",
    ),
    "/competitions/{slug}/finals": ("/competitions/digits/finals",),
    "/organise/{slug}/close": ("/organise/digits/close",),
    "/competitions/{slug}/leaderboard": (
        "/competitions/digits/leaderboard?split=private",
        "/competitions/digits/leaderboard",
        "/competitions/faces/leaderboard",
    ),
    "/competitions/{slug}/pages/{tab}": ("/competitions/digits/pages/rules",),
    "/competitions/{slug}/submit": ("/competitions/digits/submit", "/competitions/faces/submit"),
    "/competitions/{slug}/team": ("/competitions/digits/team", "/competitions/faces/team"),
    "/docs": ("/docs",),
    "/docs/{slug:path}": ("/docs/quickstart", "/docs/participants", "/docs/reference/api/competitions"),
    "/problems": ("/problems",),
    "/sign-in": ("/sign-in",),
    "/submissions": ("/submissions", "/submissions?competition=digits", "/submissions?competition=faces"),
    "/submissions/{submission_id}": (
        "/submissions/{scored}",
        "/submissions/{smoked}",
        "/submissions/{timed_out}",
        "/submissions/{crashed}",
        "/submissions/{cancelled}",
        "/submissions/{running}",
        "/submissions/{queued}",
    ),
}
"""A page's route, and addresses that show it in its states; names in braces are those of a seeded submission."""

NO_PAGES = {
    "/docs/images/{name}",
    "/metrics",
    "/sign-in/oidc",
    "/sign-in/oidc/callback",
    "/submissions/compare",
}
"""Routes outside the API that answer no HTML."""


def page_routes(application: FastAPI) -> set[str]:
    """Return the routes that answer GET and belong neither to the API nor to its description."""
    return {
        route.path
        for route in iter_route_contexts(application.routes)
        if "GET" in (route.methods or ())
        and not route.include_in_schema
        and not route.path.startswith("/api/")
    }


@contextmanager
def looking(browser: Browser, url: str, name: str | None, **options) -> Iterator[BrowserContext]:
    """Open a browser window of somebody who is signed in, or of a visitor."""
    context = browser.new_context(base_url=url, **options)
    if name is not None:
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        page.close()
    yield context
    context.close()
