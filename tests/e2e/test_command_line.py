"""The participant's command line against the real service."""

import csv
import io
import json
import os
import re
import shlex
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.participant.leaderboard import leaderboard
from tests.browser.conftest import serving
from tests.seeding import GOOD, World


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """The environment of a participant with more submissions than one page of the API holds."""
    world = World(tmp_path_factory.mktemp("crowd"))
    world.competition(n_models=4, bundle={"per_day": 100, "max_bytes": 100_000})
    token = world.person("hedy")
    world.scored("hedy", 0.08, 0.99, 0.98, note="number 0")
    for number in range(1, 30):
        world.clock.forward(seconds=1)
        world.submit("hedy", note=f"number {number}")
    with serving(world) as url:
        yield {**os.environ, "LETHE_URL": url, "LETHE_TOKEN": token, "LETHE_CONFIG": os.devnull}


def lethe(environment, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_list_goes_on_over_several_pages(crowd):
    done = lethe(crowd, "submissions", "--limit", "29", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    notes = [row["note"] for row in (listed["items"] if isinstance(listed, dict) else listed)]
    assert notes == [f"number {number}" for number in range(29, 0, -1)]


def test_a_folder_is_submitted_once_however_often_the_command_is_repeated(crowd, tmp_path):
    (tmp_path / "submission.py").write_text(GOOD)
    first = lethe(crowd, "submit", str(tmp_path), "--competition", "digits", "-m", "mine")
    again = lethe(crowd, "submit", str(tmp_path), "--competition", "digits", "-m", "mine")
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert first.stdout == again.stdout != ""
    assert re.search(r"\d+ of 100 submissions used today; the count starts again at 2026-", first.stderr)
    shown = json.loads(lethe(crowd, "status", first.stdout.strip(), "--json").stdout)
    assert (shown["status"], shown["runs"]["queued"]) == ("queued", shown["runs"]["total"])


def test_a_competition_is_shown_with_my_quota(crowd):
    done = lethe(crowd, "competitions", "digits")
    assert done.returncode == 0, done.stderr
    assert " of 100 submissions used today" in done.stdout
    assert "at most 100.0 kB" in done.stdout


def test_a_submission_is_cancelled_once_and_then_there_is_nothing_to_cancel(crowd, tmp_path):
    (tmp_path / "submission.py").write_text(GOOD)
    sent = lethe(crowd, "submit", str(tmp_path), "--competition", "digits", "-m", "to be cancelled").stdout
    done = lethe(crowd, "cancel", sent[:8])
    assert (done.returncode, done.stdout, done.stderr) == (0, sent, "Cancelled.\n")
    assert json.loads(lethe(crowd, "status", sent.strip(), "--json").stdout)["verdict"] == "cancelled"
    again = lethe(crowd, "cancel", sent.strip(), "--json")
    assert (again.returncode, json.loads(again.stdout)["code"]) == (1, "conflict")


@pytest.mark.parametrize(
    ("files", "slug", "environment", "exit_code", "code"),
    [
        ({"submission.py": "x = 1\n"}, "digits", {}, 1, "missing_entry_function"),
        ({"submission.py": "def unlearning(:\n"}, "digits", {}, 1, "syntax_error"),
        ({"submission.py": GOOD}, "nowhere", {}, 1, "not_found"),
        ({"submission.py": GOOD}, "digits", {"LETHE_TOKEN": "lethe_wrong"}, 3, "not_authenticated"),
    ],
)
def test_a_refusal_has_the_services_code_and_a_documented_exit_code(
    crowd, tmp_path, files, slug, environment, exit_code, code
):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = lethe({**crowd, **environment}, "submit", str(tmp_path), "--competition", slug, "--json")
    assert (done.returncode, json.loads(done.stdout)["code"]) == (exit_code, code)
    assert "Traceback" not in done.stderr


def test_the_leaderboard_reads_the_same_as_table_json_and_csv(crowd):
    table = lethe(crowd, "leaderboard", "digits").stdout
    rows = json.loads(lethe(crowd, "leaderboard", "digits", "--json").stdout)["rows"]
    lines = list(csv.DictReader(io.StringIO(lethe(crowd, "leaderboard", "digits", "--csv").stdout)))
    assert rows
    assert "retraining itself" in table
    for row in rows:
        assert f"{row['user']} (you)" in table
        assert any(row["user"] in line.values() for line in lines)


def test_the_leaderboards_examples_work_and_so_does_each_heading_as_an_order(crowd):
    def printed(*arguments):
        done = CliRunner().invoke(main, arguments, env=crowd)
        assert done.exit_code == 0, done.output
        return done.stdout

    for line in re.findall(r"lethe (leaderboard .*?)(?: >.*)?$", leaderboard.epilog, re.MULTILINE):
        assert printed(*shlex.split(line))
    headings = re.split("  +", printed("leaderboard", "digits").splitlines()[2].strip())
    for heading in set(headings) - {"+-", "flags"}:
        assert "hedy" in printed("leaderboard", "digits", "--sort", f"-{heading}")
