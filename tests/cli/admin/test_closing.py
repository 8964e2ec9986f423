"""`lethe admin closing` and `reveal` as an organiser meets them, who is not on the server."""

import json
import os

import pytest

from app.evaluations import RunOutcome
from app.status import Verdict

ENTRIES = {"ada": (0.09, 0.07), "grace": (0.08, 0.085)}
"""What each scores on the public and on the private split."""


@pytest.fixture
def closed(world, env):
    """Two people scored on the public split, the close over, and a token of who organises it; gives ids by name."""
    world.reference("private")
    world.organiser("olive")
    world.person("grace")
    ids = {name: world.scored(name, public, 0.99, 0.98) for name, (public, _) in ENTRIES.items()}
    env.setenv("LETHE_TOKEN", world.tokens["olive"])
    world.after_the_close()
    return ids


def evaluate(world, ids):
    names = {one: name for name, one in ids.items()}
    for _ in ids:
        assert world.run(4) == "last"
        world.score(ENTRIES[names[world.submission_of(world.last_evaluation)]][1], 0.99, 0.98)


def shown(result):
    """Return the facts that were drawn, by name."""
    pairs = (line.split("  ", 1) for line in result.stdout.split("\n\n")[0].splitlines())
    return {name: value.strip() for name, value in pairs}


def test_before_the_close_it_says_that_nothing_is_taken_yet(world, lethe):
    result = lethe("admin", "closing", "digits")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "final entries  not taken yet" in result.stdout
    assert "not yet, by an organiser" in result.stdout


def test_it_says_what_is_running_and_in_the_way(lethe, closed):
    result = lethe("admin", "closing", "digits")
    assert (result.exit_code, result.stderr) == (0, "")
    facts = shown(result)
    assert facts["final entries"] == "2 taken 2026-06-01 00:11 UTC"
    assert facts["evaluated"] == "0 of 2"
    assert set(facts["running"].split(", ")) == set(closed.values())
    assert "still being evaluated" in facts["in the way"]
    refused = lethe("admin", "reveal", "digits", "--yes")
    assert (refused.exit_code, "still being evaluated" in refused.stderr) == (1, True)


def test_it_shows_the_places_that_change_and_reveals_only_when_told_to(world, lethe, closed):
    evaluate(world, closed)
    url = os.environ["LETHE_URL"]
    result = lethe("admin", "closing", "digits", "--url", url)
    assert f"lethe admin reveal digits --yes --url {url}" in result.stderr
    board = result.stdout.split("\n\n")[1].splitlines()[1:]
    assert [line.split()[:4] for line in board] == [["grace", "2", "1", "+1"], ["ada", "1", "2", "-1"]]
    assert lethe("admin", "reveal", "digits").exit_code == 2
    assert json.loads(lethe("admin", "closing", "digits", "--json").stdout)["revealed_at"] is None
    done = lethe("admin", "reveal", "digits", "--yes", "--json")
    assert json.loads(done.stdout)["phase"] == "revealed"
    assert "The results of digits are revealed" in done.stderr
    after = lethe("admin", "closing", "digits")
    assert (shown(after)["revealed"], after.stderr) == ("2026-06-01 00:11 UTC", "")
    assert "in the way" not in after.stdout
    assert lethe("admin", "reveal", "digits", "--yes").exit_code == 1


def test_the_private_leaderboard_goes_along_as_json(world, lethe, closed):
    evaluate(world, closed)
    found = json.loads(lethe("admin", "closing", "digits", "--json").stdout)
    assert [row["entrant"] for row in found["leaderboard"]["rows"]] == ["grace", "ada"]
    assert (found["complete"], found["obstacle"]) == (2, None)


def test_scores_have_the_decimals_that_the_competition_publishes(world, lethe, closed):
    world.competition(publish={"score_decimals": 2}, prepared=False)
    evaluate(world, closed)
    board = lethe("admin", "closing", "digits").stdout.split("\n\n")[1].splitlines()[1:]
    assert [line.split()[-1] for line in board] == ["0.08", "0.07"]


def test_what_has_no_score_is_named_before_and_after_the_reveal(world, lethe, closed):
    for _ in closed:
        world.run(1, RunOutcome(9.9, None, Verdict.TIMED_OUT, "over_cutoff"))
    before = shown(lethe("admin", "closing", "digits"))["without a score"]
    assert set(before.split(", ")) == set(closed.values())
    assert "Without a score on the private split" in lethe("admin", "reveal", "digits", "--yes").stderr


def cancel_private(lethe):
    under_way = lethe("admin", "evaluations", "--split", "private", "--status", "queued", "--json")
    ids = [one["id"] for one in json.loads(under_way.stdout)["items"]]
    assert lethe("admin", "cancel", *ids, "--reason", "the machine is down").exit_code == 0


def test_what_was_rerun_in_vain_is_left_without_a_score_by_force_alone(lethe, closed):
    cancel_private(lethe)
    assert set(shown(lethe("admin", "closing", "digits"))["stalled"].split(", ")) == set(closed.values())
    assert lethe("admin", "reveal", "digits", "--yes", "--force").exit_code == 1
    rerun = lethe("admin", "rerun", "start", "--split", "private", "--reason", "the machine is back")
    cancel_private(lethe)
    assert lethe("admin", "rerun", "apply", rerun.stdout.strip()).exit_code == 0
    result = lethe("admin", "closing", "digits")
    assert "lethe admin reveal digits --yes --force" in result.stderr
    assert lethe("admin", "reveal", "digits", "--yes").exit_code == 1
    assert lethe("admin", "reveal", "digits", "--yes", "--force").exit_code == 0
