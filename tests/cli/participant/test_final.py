import json

import pytest

from tests.cli.service import Answer, problem

FINALS = "/competitions/digits/finals"


def entry(name, **more):
    return {
        "submission_id": name,
        "user": "ada",
        "note": "",
        "created_at": "2026-03-01T12:34:56Z",
        "status": "done",
        "verdict": "scored",
        "score": 0.0712,
        "state": None,
        "automatic": False,
        "evaluation": None,
    } | more


def finals(*entries, candidates=(), locked=False):
    return {
        "competition": "digits",
        "closes_at": "2026-06-01T00:00:00Z",
        "locked": locked,
        "places": 2,
        "rule": "Free places are filled.",
        "decimals": {"score": 4, "seconds": 2},
        "entries": [entry(one, state="chosen") for one in entries],
        "candidates": [entry(one) for one in candidates],
    }


def test_the_list_shows_what_is_chosen_and_what_could_be(service, lethe):
    service.on(f"GET {FINALS}", Answer(200, finals("a1", candidates=["b2"])))
    result = lethe("final", "list", "digits")
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["a1", "b2"]
    assert "chosen" in lines[1]
    assert result.stderr.startswith("1 of 2 chosen, until 2026-06-01 00:00 UTC.")


def test_choosing_sends_exactly_the_ids_that_were_given(service, lethe):
    service.on(f"PUT {FINALS}", Answer(200, finals("a1", "b2")))
    result = lethe("final", "choose", "digits", "a1", "b2", "--json")
    assert [one["submission_id"] for one in json.loads(result.stdout)["entries"]] == ["a1", "b2"]
    assert json.loads(service.seen[-1].body) == {"submission_ids": ["a1", "b2"]}


@pytest.mark.parametrize(("given", "kept"), [(["a1"], ["b2"]), ([], [])])
def test_dropping_keeps_the_others_and_without_an_id_none(service, lethe, given, kept):
    service.on(f"GET {FINALS}", Answer(200, finals("a1", "b2")))
    service.on(f"PUT {FINALS}", Answer(200, finals(*kept)))
    assert lethe("final", "drop", "digits", *given).exit_code == 0
    assert json.loads(service.seen[-1].body) == {"submission_ids": kept, "seen": ["a1", "b2"]}


def test_a_locked_choice_is_refused_in_the_services_words(service, lethe):
    service.on(f"PUT {FINALS}", problem(409, "conflict", detail="Final entries were locked at the close."))
    result = lethe("final", "choose", "digits", "a1")
    assert result.exit_code == 1
    assert "locked at the close" in result.stderr


def test_the_private_leaderboard_is_asked_for_by_its_split(service, lethe):
    service.on(
        "GET /competitions/digits/leaderboard?split=private",
        problem(404, "not_found", detail="The private one is hidden."),
    )
    result = lethe("leaderboard", "digits", "--private")
    assert result.exit_code == 1
    assert "The private one is hidden" in result.stderr
