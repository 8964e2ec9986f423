"""A competition from its last open day to the reveal, in the browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import serving
from tests.browser.pages import looking
from tests.seeding import World

PRIVATE = {"ada": 0.07, "low": 0.04, "grace": 0.085, "barbara": 0.06}


@pytest.fixture
def played(tmp_path):
    """A world on the day before its close, with three participants scored; on the private split two change places."""
    world = World(tmp_path)
    for name in ("ada", "grace", "barbara"):
        world.person(name)
    world.person("root", "admin")
    world.competition()
    world.reference("private")
    world.clock.now = world.clock.now.replace(month=5, day=31)
    ids = {
        "ada": world.scored("ada", 0.09, 0.99, 0.98, "fine-tune, 3 epochs"),
        "low": world.scored("ada", 0.05, 0.99, 0.98, "gradient ascent"),
        "grace": world.scored("grace", 0.08, 0.99, 0.98, "distillation"),
        "barbara": world.scored("barbara", 0.06, 0.99, 0.98),
    }
    world.clock.forward(minutes=5)
    return world, ids


def evaluate(world, ids):
    by_submission = {ids[name]: value for name, value in PRIVATE.items()}
    while world.queued():
        assert world.run(4) == "last"
        world.score(by_submission[world.submission_of(world.last_evaluation)], 0.99, 0.98)


def test_from_the_choice_to_the_reveal_with_places_that_change(browser, played):
    world, ids = played
    board = "/competitions/digits/leaderboard?split=private"
    with (
        serving(world) as url,
        looking(browser, url, "ada", java_script_enabled=False) as adas,
        looking(browser, url, "root") as roots,
    ):
        ada, root = adas.new_page(), roots.new_page()
        ada.goto("/competitions/digits")
        assert "in 14 hours" in ada.locator(".phase").inner_text()
        ada.get_by_role("link", name="Final entries").click()
        ada.get_by_role("checkbox", name="gradient ascent").check()
        ada.get_by_role("button", name="Keep this choice").click()
        assert ada.get_by_role("checkbox", name="gradient ascent").is_checked()
        ada.get_by_role("link", name="Leaderboard").click()
        ada.get_by_role("link", name="Private").click()
        expect(ada.get_by_text("hidden until the results are revealed").first).to_be_visible()

        assert world.after_the_close() == 1
        ada.goto("/competitions/digits/finals")
        assert ada.get_by_role("checkbox").count() == 0
        assert ada.get_by_text("running").count() == 2
        assert ada.get_by_text("as you chose").is_visible()
        evaluate(world, ids)
        ada.reload()
        assert ada.get_by_text("complete").count() == 2
        assert "0.0679" not in ada.content()
        ada.goto(board)
        assert ada.get_by_role("table").count() == 0

        root.goto("/organise/digits/close")
        assert root.get_by_text("up 1").count() == 1
        root.get_by_role("button", name="Reveal the results").click()
        expect(root.get_by_text("Private leaderboard: the results.")).to_be_visible()

        ada.goto(board)
        rows = ada.locator("table.board tbody tr:not(.baseline)").all_inner_texts()
        places = [[word for word in row.split() if word in {"ada", "grace", "barbara"}] for row in rows]
        assert places == [["grace"], ["ada"], ["barbara"]]
        assert ["▲1" in rows[0], "▼1" in rows[1], "unchanged" in rows[2]] == [True, True, True]
        ada.goto(f"/submissions/{ids['ada']}")
        assert "private" in ada.content()
