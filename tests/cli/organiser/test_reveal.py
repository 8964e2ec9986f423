"""`lethe competition reveal` as an organiser meets it on the server."""

import json

import pytest
from click.testing import CliRunner

from cli.main import main
from tests.seeding import World


@pytest.fixture
def closed(tmp_path, monkeypatch):
    """An installation that the environment names, with two people scored on the public split and the close over."""
    for name in ("LETHE_DATABASE_URL", "LETHE_DEVICE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LETHE_DATA_DIR", str(tmp_path))
    world = World(tmp_path)
    for name in ("ada", "grace"):
        world.person(name)
    world.competition()
    world.reference("private")
    ids = [world.scored("ada", 0.09, 0.99, 0.98), world.scored("grace", 0.08, 0.99, 0.98)]
    world.after_the_close()
    return world, dict(zip(ids, (0.07, 0.085), strict=True))


def evaluate(world, values):
    for _ in values:
        assert world.run(4) == "last"
        world.score(values[world.submission_of(world.last_evaluation)], 0.99, 0.98)


def reveal(*arguments):
    result = CliRunner().invoke(main, ["competition", "reveal", "digits", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_it_says_what_is_in_the_way_and_reveals_nothing(closed):
    for arguments in ((), ("--yes",)):
        result = reveal(*arguments)
        assert result.exit_code == 1
        assert "2 of 2 final entries are still being evaluated" in result.stderr
    assert closed[0].after_the_close() == 0


def test_it_shows_the_places_that_change_and_reveals_only_when_told_to(closed):
    evaluate(*closed)
    shown = reveal()
    assert shown.exit_code == 0
    assert [line.split()[:4] for line in shown.stdout.splitlines()[1:]] == [
        ["grace", "2", "1", "+1"],
        ["ada", "1", "2", "-1"],
    ]
    assert "nothing is revealed" in shown.stderr
    assert "lethe competition reveal digits --yes" in shown.stderr
    done = json.loads(reveal("--yes", "--json").stdout)
    assert done["phase"] == "revealed"
    assert [row["entrant"] for row in done["leaderboard"]["rows"]] == ["grace", "ada"]
    assert reveal("--yes").exit_code == 1
