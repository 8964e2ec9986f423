"""`lethe compare`."""

import json

from app.routes.examples.compare import COMPARISON
from tests.cli.service import Answer, problem

A, B = (COMPARISON[name]["submission_id"] for name in ("first", "second"))
COMPARED = f"GET /competitions/digits/comparison?a={A}&b={B}"


def test_the_verdict_comes_first_and_both_stand_side_by_side(service, lethe):
    service.on(COMPARED, Answer(200, COMPARISON))
    said = lethe("compare", A, B, "--competition", "digits")
    first = said.stdout.splitlines()[0]
    assert first == "A is better. A less B, official score: 0.0114, 95 % interval 0.0062 to 0.0166"
    assert "0.0712" in said.stdout
    assert "leaves out 0" in said.stderr


def test_a_script_gets_the_answer_itself(service, lethe):
    service.on(COMPARED, Answer(200, COMPARISON))
    said = lethe("compare", A, B, "--competition", "digits", "--json")
    assert json.loads(said.stdout) == COMPARISON


def test_what_cannot_be_compared_fails_with_the_services_words(service, lethe):
    service.on(COMPARED, problem(409, "conflict", "Submission 1c9a7c6f has no score to compare."))
    said = lethe("compare", A, B, "--competition", "digits")
    assert said.exit_code == 1
    assert "no score to compare" in said.stderr


def test_the_competition_is_that_of_whichever_is_ones_own(service, lethe):
    service.on(f"GET /submissions/{B}", Answer(200, {"id": B, "status": "done", "competition": "digits"}))
    service.on(COMPARED, Answer(200, COMPARISON))
    assert lethe("compare", A, B).stdout.startswith("A is better.")
