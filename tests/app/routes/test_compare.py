"""Two submissions side by side: whose they may be, and what is shown of somebody else's."""

import pytest

from app.competitions import Publish
from app.routes.examples.compare import COMPARISON
from app.schemas.compare import ComparisonOut


@pytest.fixture
def three(world):
    """Two of ada's and grace's one, which is on the board."""
    return (
        world.scored("ada", 0.08, 0.98, 0.97, "the first"),
        world.scored("ada", 0.05, 0.97, 0.96, "the second"),
        world.scored("grace", 0.0801, 0.98, 0.97, "graces own note"),
    )


@pytest.fixture
def compare(client, bearer):
    def asked(name, a, b, slug="digits"):
        return client.get(f"/api/v1/competitions/{slug}/comparison?a={a}&b={b}", headers=bearer(name))

    return asked


def test_ones_own_two_are_compared_by_the_same_halves(three, compare):
    body = compare("ada", three[0], three[1]).json()
    assert (body["verdict"], body["difference"]["method"]) == ("first", "paired")
    assert body["difference"]["value"] == pytest.approx(
        body["first"]["score"] - body["second"]["score"], abs=2e-4
    )
    assert body["difference"]["interval_low"] > 0
    assert (body["first"]["yours"], body["second"]["note"]) == (True, "the second")
    swapped = compare("ada", three[1], three[0]).json()
    assert swapped["verdict"] == "second"


def test_of_anothers_entry_only_what_is_published_is_used_and_shown(world, three, client, compare, sign_in):
    body = compare("ada", three[0], three[2]).json()
    other = body["second"]
    assert (body["verdict"], body["difference"]["method"]) == ("tied", "published")
    assert [other[name] for name in ("note", "created_at", "summary", "slowest_seconds")] == [None] * 4
    [row] = [
        one
        for one in client.get("/api/v1/competitions/digits/leaderboard").json()["rows"]
        if one["submission_id"] == three[2]
    ]
    shown = (
        "score",
        "interval_low",
        "interval_high",
        "official_score",
        "calibrated_score",
        "forgetting_quality",
    )
    assert {name: other[name] for name in shown} == {name: row[name] for name in shown}
    sign_in("ada")
    page = client.get(f"/competitions/digits/compare?a={three[0]}&b={three[2]}").text
    assert "graces own note" not in page
    assert "Membership attack" not in page
    assert f"/submissions/{three[2]}" not in page


def test_with_anothers_entry_ones_own_side_is_as_published_too(world, compare):
    world.competition(publish={"score_decimals": 1})
    mine = world.scored("ada", 0.149, 1.0, 1.0)
    other = world.scored("grace", 0.151, 1.0, 1.0)
    body = compare("ada", mine, other).json()
    assert (body["first"]["score"], body["second"]["score"]) == (0.1, 0.2)
    assert body["difference"]["value"] == -0.1, "exactly it is -0.002"


def test_what_is_not_on_the_board_is_nobody_elses_to_compare_with(three, compare):
    assert compare("grace", three[2], three[1]).status_code == 404
    assert compare("grace", three[2], three[0]).status_code == 200


def test_two_of_others_are_refused_and_an_admin_may_compare_any(world, three, compare):
    world.person("barbara")
    refused = compare("barbara", three[0], three[2])
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert compare("root", three[1], three[2]).json()["difference"]["method"] == "paired"


def test_each_refusal_says_what_to_change(world, three, client, compare):
    assert compare("ada", three[0], three[0]).status_code == 400
    assert compare("ada", three[0], "f" * 32).status_code == 404
    assert compare("ada", three[0], three[1], "nowhere").status_code == 404
    waits = world.submit("ada")
    unscored = compare("ada", three[0], waits)
    assert (unscored.status_code, "no score" in unscored.json()["detail"]) == (409, True)
    assert client.get(f"/api/v1/competitions/digits/comparison?a={three[0]}&b={three[1]}").status_code == 401


def test_a_submission_of_another_competition_is_not_found(world, three, compare):
    world.competition("faces")
    assert compare("ada", three[0], three[1], "faces").status_code == 404


def test_the_page_says_the_verdict_and_draws_both(three, client, sign_in):
    sign_in("ada")
    page = client.get(f"/competitions/digits/compare?a={three[0]}&b={three[1]}").text
    assert "A is better." in page
    for part in (
        "Examples by epsilon",
        "Membership attack",
        "Both scores",
        "Version of the grader",
        "the second",
    ):
        assert part in page


def test_two_that_are_ticked_in_the_list_are_compared(three, client, sign_in):
    sign_in("ada")
    listed = client.get("/submissions").text
    assert f'name="id" value="{three[0]}"' in listed
    answer = client.get(f"/submissions/compare?id={three[0]}&id={three[1]}")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/competitions/digits/compare?a={three[0]}&b={three[1]}",
    )
    one = client.get(f"/submissions/compare?id={three[0]}")
    assert (one.status_code, "tick two" in one.text) == (400, True)
    assert client.get("/submissions/compare").status_code == 400
    assert client.get(f"/submissions/compare?id={three[0]}&id={three[2]}").status_code == 404


def test_the_submissions_page_leads_to_a_choice_of_the_other(three, client, sign_in):
    sign_in("ada")
    href = f"/competitions/digits/compare?a={three[0]}"
    assert href in client.get(f"/submissions/{three[0]}").text
    page = client.get(href).text
    assert f'<option value="{three[2]}"' in page
    assert f'<option value="{three[1]}"' in page


def test_who_has_no_score_is_told_so(world, client, sign_in):
    sign_in("grace")
    assert "no scored submission here yet" in client.get("/competitions/digits/compare").text


def test_the_leaderboard_leads_there_for_who_is_signed_in(three, client, sign_in):
    board, there = "/competitions/digits/leaderboard", 'href="/competitions/digits/compare"'
    assert there not in client.get(board).text
    sign_in("ada")
    assert there in client.get(board).text


def test_whose_score_is_the_only_one_is_told_so_and_gets_no_form(world, client, sign_in):
    only = world.scored("ada", 0.08, 0.98, 0.97)
    sign_in("ada")
    page = client.get(f"/competitions/digits/compare?a={only}").text
    assert "Nothing to compare with yet." in page
    assert 'href="/competitions/digits/submit">Submit another' in page
    assert "<select" not in page
    world.scored("grace", 0.06, 0.98, 0.97)
    assert '<select name="b" required>' in client.get(f"/competitions/digits/compare?a={only}").text


def test_the_example_of_the_description_is_an_answer():
    shown = ComparisonOut.model_validate(COMPARISON, context=Publish())
    assert shown.model_dump(mode="json") == COMPARISON
