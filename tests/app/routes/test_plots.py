"""Who sees what of the hidden forget set in plots, on pages and in the API."""

import random
import re
from functools import partial

import pytest
from sqlalchemy import update

from app.competitions import CompetitionConfig, Publish
from app.db import unit_of_work
from app.models import Score
from app.routes.examples.plots import PLOTS, PROGRESS
from app.schemas.plots import BoardProgressOut, PlotsOut
from app.views.plots import NO_SCORE, OLDER, TOO_FEW, WITHHELD
from tests.grades import drawn_from

BIGGEST = 20_000
TABLED = re.compile(r"</svg>\s*<details[^>]*>\s*<summary>.*?</summary>\s*<div[^>]*>\s*<table>\s*<caption>")


@pytest.fixture
def scored(world):
    return world.scored("ada", 0.08, 0.98, 0.97)


@pytest.fixture
def read(client, bearer):
    """Read a submission's plots as somebody."""
    return lambda one, name: client.get(f"/api/v1/submissions/{one}/plots", headers=bearer(name)).json()


def store(world, plots):
    with unit_of_work(world.engine) as session:
        session.execute(update(Score).values(plots=plots))


def test_a_participant_reads_shares_in_steps_and_no_example(world, scored, read):
    found = read(scored, "ada")
    assert (found["step"], found["examples"], found["missing"], found["models"]) == (0.05, [], None, 32)
    shares = [bar[kind] for bar in found["epsilon"] for kind in ("unlearned", "retrained")]
    shares += [point["true_positive_rate"] for point in found["roc"]]
    assert shares
    assert all(abs(share * 20 - round(share * 20)) < 1e-9 for share in shares)


def test_an_admin_reads_exact_numbers_and_the_examples_that_tell_most(world, scored, read):
    given = drawn_from(random.Random(9))
    store(world, given)
    found = read(scored, "root")
    assert (found["step"], len(found["examples"])) == (None, 12)
    assert [bar["unlearned"] for bar in found["epsilon"]] == [
        one / 100 for one in given["epsilon"]["unlearned"]
    ]
    assert [point["true_positive_rate"] for point in found["roc"]] == given["roc"]["true_positive_rate"]


def test_nothing_of_a_single_example_reaches_a_participant(world, client, scored, sign_in, bearer):
    """Quantiles with digits that occur nowhere else, numbers of examples that nothing else could give."""
    given = drawn_from(random.Random(2))
    count = len(given["telling"]["example"])
    given["telling"] |= {
        "example": [770_000 + index for index in range(count)],
        "unlearned": [[7.7654321] * 5] * count,
        "retrained": [[6.6543217] * 5] * count,
    }
    store(world, given)
    sign_in("ada")
    paths = (f"/submissions/{scored}", "/competitions/digits/leaderboard", "/submissions")
    texts = [client.get(path).text for path in paths]
    api = (f"submissions/{scored}/plots", f"submissions/{scored}", "competitions/digits/leaderboard/progress")
    texts += [client.get(f"/api/v1/{path}", headers=bearer("ada")).text for path in api]
    secret = re.compile(r"\b7700\d\d\b|7\.765|7\.8 …|6\.654|tell most")
    assert [secret.search(text) for text in texts] == [None] * len(texts)
    sign_in("root")
    assert secret.search(client.get(f"/submissions/{scored}").text), "an admin sees them: the test can fail"


def test_a_few_examples_more_or_less_in_a_bar_are_not_to_be_seen(world, client, scored, sign_in):
    one = drawn_from(random.Random(3))
    one["epsilon"]["unlearned"] = [20, 20, 20, 20, 20, 0, 0, 0, 0, 0]
    other = one | {"epsilon": one["epsilon"] | {"unlearned": [22, 18, 21, 19, 20, 0, 0, 0, 0, 0]}}
    sign_in("ada")
    pages = []
    for given in (one, other):
        store(world, given)
        pages.append(client.get(f"/submissions/{scored}").text)
    assert pages[0] == pages[1]


def test_an_organiser_may_turn_plots_off_for_participants_alone(world, client, read, sign_in):
    world.competition(publish={"plots": False})
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    found = read(submission, "ada")
    assert (found["missing"], found["epsilon"], found["roc"], found["examples"]) == (WITHHELD, [], [], [])
    assert read(submission, "root")["missing"] is None
    sign_in("ada")
    page = client.get(f"/submissions/{submission}").text
    assert WITHHELD in page
    assert "Examples by epsilon" not in page


def test_plots_are_published_unless_turned_off():
    assert Publish().plots
    assert CompetitionConfig.model_fields["publish"].default.plots


def test_scores_from_before_say_that_they_have_no_plots(world, client, scored, read, sign_in):
    store(world, None)
    assert read(scored, "ada")["missing"] == read(scored, "root")["missing"] == OLDER
    sign_in("ada")
    assert OLDER in client.get(f"/submissions/{scored}").text


def test_a_forget_set_of_few_examples_is_not_shown(world, scored, read):
    store(world, drawn_from(random.Random(1), examples=16))
    assert read(scored, "ada")["missing"] == TOO_FEW
    assert read(scored, "root")["missing"] is None


def test_there_are_none_before_there_is_a_score(world, read):
    assert read(world.submit("ada"), "ada")["missing"] == NO_SCORE


def test_plots_are_their_owners_and_the_admins(client, scored, bearer):
    url = f"/api/v1/submissions/{scored}/plots"
    assert client.get(url, headers=bearer("grace")).status_code == 404
    assert client.get(url).status_code == 401


def drawings(page):
    return re.findall(r'<svg class="chart[ "].*?</svg>', page, re.DOTALL)


def test_every_picture_is_small_named_and_described_however_much_there_is(world, client, sign_in):
    world.competition(n_models=512)
    submission = world.scored("ada", 0.08, 0.98, 0.97, n=512)
    big = drawn_from(random.Random(1), examples=2000, models=512)
    big["epsilon"] |= {
        "edges": [index / 2 for index in range(15)],
        "unlearned": [125] * 16,
        "retrained": [125] * 16,
    }
    store(world, big)
    sign_in("root")
    found = drawings(client.get(f"/submissions/{submission}").text)
    assert len(found) == 4
    for one in found:
        assert len(one.encode()) < BIGGEST
        title, words = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', one).groups()
        assert f'<title id="{title}">' in one
        assert f'<desc id="{words}">' in one
        assert not re.search(r'\b(style|fill|stroke)="(?!none|url)', one), "colours come from the sheet alone"


def test_a_table_with_the_numbers_stands_under_every_picture(client, scored, sign_in):
    sign_in("root")
    for path, count in ((f"/submissions/{scored}", 4), ("/competitions/digits/leaderboard", 3)):
        page = client.get(path).text
        assert len(TABLED.findall(page)) == len(drawings(page)) == count


def test_the_board_shows_who_is_on_the_front_and_how_scores_rose(world, client, bearer):
    world.scored("ada", 0.05, 0.98, 0.97)
    world.scored("ada", 0.04, 0.9, 0.9)
    world.scored("ada", 0.08, 0.9, 0.9)
    world.scored("grace", 0.06, 0.99, 0.99)
    page = client.get("/competitions/digits/leaderboard").text
    assert "2 of 2 entries are on the front" in page
    body = client.get("/api/v1/competitions/digits/leaderboard/progress").json()
    board = client.get("/api/v1/competitions/digits/leaderboard").json()
    of = {one["entrant"]: one["steps"] for one in body["entrants"]}
    assert [step["score"] for step in of["ada"]] == [0.0475, 0.0648], "a worse one is no step"
    assert {one["entrant"]: one["steps"][-1]["score"] for one in body["entrants"]} == {
        row["entrant"]: row["score"] for row in board["rows"]
    }


def test_the_board_draws_ones_own_place_beyond_the_first_ten(world, client, sign_in, bearer):
    for index in range(11):
        world.person(f"p{index}")
        world.scored(f"p{index}", 0.05 + index / 1000, 0.98, 0.97)
    world.scored("ada", 0.01, 0.98, 0.97)
    url = "/api/v1/competitions/digits/leaderboard/progress"
    known = partial(client.get, url)
    assert len(known().json()["entrants"]) == 10
    assert known(headers=bearer("ada")).json()["entrants"][-1]["entrant"] == "ada"
    sign_in("ada")
    assert "chart-climb-own" in client.get("/competitions/digits/leaderboard").text


def test_an_empty_board_has_no_plots(client):
    assert "board-plots" not in client.get("/competitions/digits/leaderboard").text
    assert client.get("/api/v1/competitions/digits/leaderboard/progress").json()["entrants"] == []


def test_the_examples_of_the_description_are_answers():
    assert PlotsOut.model_validate(PLOTS).model_dump(mode="json") == PLOTS
    assert BoardProgressOut.model_validate(PROGRESS).model_dump(mode="json") == PROGRESS
