"""Scores and seconds are answered as finely as their competition says, and no finer, wherever they stand."""

import json
import re

import pytest
from pydantic import ValidationError

from app.competitions import CompetitionConfig, Publish
from app.schemas.scores import ScoreOut
from app.schemas.submissions import SmokeOut
from tests.app.conftest import make_config

PATHS = (
    "/competitions/digits",
    "/competitions/digits/leaderboard",
    "/submissions",
    "/api/v1/competitions/digits",
    "/api/v1/competitions/digits/leaderboard",
    "/api/v1/competitions/digits/leaderboard.csv",
    "/api/v1/submissions",
)


@pytest.fixture
def coarse(world):
    """A scored submission to a competition that publishes coarsely."""
    world.competition(publish={"score_decimals": 2, "seconds_decimals": 0})
    return world.scored("ada", 0.0847123, 0.9812345, 0.9712345)


def test_nothing_finer_than_its_competition_publishes_is_answered_anywhere(client, coarse, sign_in):
    sign_in("ada")
    for path in (*PATHS, f"/submissions/{coarse}", f"/api/v1/submissions/{coarse}"):
        text = client.get(path).text
        assert text
        for finer in ("0.0847", "0.085", "0.981", "0.971", "0.0807", "0.081", "0.631", "3.219", "0.542"):
            assert finer not in text, (path, finer)


def test_scores_and_seconds_are_rounded_in_the_api(client, coarse, bearer):
    body = client.get(f"/api/v1/submissions/{coarse}", headers=bearer("ada")).json()
    assert body["decimals"] == {"score": 2, "seconds": 0}
    assert body["score"]["forgetting_quality"] == 0.08
    assert body["score"]["retain_ratio"] == 0.98
    assert body["score"]["summary"]["median_epsilon"] == 3.22
    assert all(run["seconds"] == round(run["seconds"]) for run in body["run_details"])
    board = client.get("/api/v1/competitions/digits/leaderboard").json()
    assert board["ranking"].startswith("official score to two decimals")
    assert board["rows"][0]["score"] == 0.08
    assert board["rows"][0]["median_seconds"] == 1.0
    assert board["retraining"]["score"] == 0.09
    assert client.get("/api/v1/competitions/digits").json()["retrain_seconds"] == 7.0


def test_scores_on_pages_have_as_many_decimals_as_are_published(client, coarse, sign_in):
    sign_in("ada")
    board = client.get("/competitions/digits/leaderboard").text
    assert re.search(r'class="num strong">0\.08 ', board)
    assert "0.0800" not in board + client.get(f"/submissions/{coarse}").text + client.get("/submissions").text


def test_what_organisers_decide_by_has_as_many_decimals_too(client, world, coarse, sign_in):
    rerun = world.rerun(coarse)
    world.run(4)
    world.score(0.0612345, 0.98, 0.97)
    sign_in("root")
    for path, scores in {
        f"/admin/reruns/{rerun}": ["0.08", "0.06"] * 2,
        "/admin/evaluations": ["0.06", "0.08"],
        "/admin/evaluations/rerun?all=yes": ["0.06"],
    }.items():
        assert re.findall(r">(0\.\d+)<", client.get(path).text) == scores, path


def test_six_decimals_can_be_published(client, world, bearer):
    world.competition(publish={"score_decimals": 6, "seconds_decimals": 3})
    submission = world.scored("ada", 0.0847123, 0.9812345, 0.9712345)
    body = client.get(f"/api/v1/submissions/{submission}", headers=bearer("ada")).json()
    assert body["score"]["retain_ratio"] == pytest.approx(0.981234, abs=1.1e-6)
    assert any(len(json.dumps(run["seconds"])) == 5 for run in body["run_details"])


def test_an_answer_cannot_be_built_without_the_rounding_of_its_competition():
    with pytest.raises(ValidationError, match="rounded as its competition says"):
        SmokeOut(status="succeeded", verdict=None, reason=None, seconds=0.1234, log=None, dropped_bytes=0)
    with pytest.raises(ValidationError, match="rounded as its competition says"):
        ScoreOut.model_validate({"score": 0.1234567})


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"score_decimals": 0}, "score_decimals"),
        ({"score_decimals": 7}, "score_decimals"),
        ({"seconds_decimals": 4}, "seconds_decimals"),
        ({"seconds_decimals": -1}, "seconds_decimals"),
        ({"decimals": 2}, "decimals"),
    ],
)
def test_decimals_beyond_what_makes_sense_are_refused(given, word):
    with pytest.raises(ValidationError, match=word):
        make_config(publish=given)


def test_by_default_scores_have_four_decimals_and_seconds_two():
    config = CompetitionConfig.model_validate(make_config().model_dump())
    assert config.publish == Publish(score_decimals=4, seconds_decimals=2)
