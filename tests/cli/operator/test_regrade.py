"""`lethe admin regrade` as an operator meets it."""

import json
import os
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

import grader
from app.settings import Settings
from cli.main import main
from tests.stored import OLD, Installation
from worker import regrading


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An installation with a competition, which the environment names."""
    for name in ("LETHE_DATABASE_URL", "LETHE_DEVICE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LETHE_DATA_DIR", str(tmp_path))
    place = Installation(Settings(data_dir=tmp_path))
    place.competition()
    yield place
    place.engine.dispose()


def regrade(*arguments):
    result = CliRunner().invoke(main, ["admin", "regrade", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_it_shows_old_and_new_places_and_says_how_to_publish_or_drop(place):
    place.scored("ada", shift=9.0, old=0.9)  # nothing like retraining, but scored high by the old version
    place.scored("eve", old=0.1)
    result = regrade("tiny")
    assert result.exit_code == 0
    title, header, first, second, retraining, *_ = result.stdout.splitlines()
    assert title == "tiny, public split"
    assert header.split("  ")[0] == "participant"
    assert first.split()[:4] == ["eve", "2", "1", "0.1000"]
    assert second.split()[:4] == ["ada", "1", "2", "0.9000"]
    assert retraining.split()[:2] == ["(retraining)", "0.5000"]
    assert "Publish: `lethe admin regrade tiny --publish`" in result.stderr
    assert "Drop: `lethe admin regrade tiny --drop`" in result.stderr
    assert place.scores().count((grader.VERSION, True)) == 0


def test_publish_makes_them_current_and_a_second_time_there_is_nothing_to_do(place):
    one = place.scored("ada")
    result = regrade("--publish")
    assert (result.exit_code, place.scores(one)) == (0, [(OLD, False), (grader.VERSION, True)])
    assert "Published 1 score and 2 rows of retraining" in result.stderr
    again = regrade("--publish")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "Nothing to do" in again.stderr


def test_what_an_earlier_call_graded_is_published_without_grading_it_again(place):
    place.scored("ada")
    assert json.loads(regrade("--json").stdout)["graded"] == 1
    published = json.loads(regrade("--publish", "--json").stdout)
    assert (published["graded"], published["scores"], published["published"]) == (0, 1, True)


def test_drop_deletes_what_was_not_published(place):
    one = place.scored("ada")
    regrade()
    result = regrade("--drop", "--json")
    assert json.loads(result.stdout) == {
        "grader_version": grader.VERSION,
        "competition": None,
        "dropped": 1,
    }
    assert place.scores(one) == [(OLD, True)]


def test_what_cannot_be_graded_is_named_and_nothing_is_published(place):
    lost, kept = place.scored("ada"), place.scored("eve")
    place.blob_of_run(lost).unlink()
    result = regrade("--publish")
    assert result.exit_code == 1
    assert f"evaluation {lost} of submission {place.submission_of(lost)}: there is no blob" in result.stderr
    assert "nothing can be published" in result.stderr
    assert (grader.VERSION, False) in place.scores(kept)
    told = json.loads(regrade("--publish", "--json").stdout)
    assert (told["code"], told["exit_code"], told["published"]) == ("not_all_graded", 1, False)
    assert told["problems"][0]["evaluation_id"] == lost


def test_what_is_scored_by_an_old_worker_meanwhile_is_refused_with_what_to_do(place, monkeypatch):
    place.scored("ada")
    run = regrading.Regrading.run

    def late(*arguments):
        found = run(*arguments)
        place.scored("late")
        return found

    monkeypatch.setattr(regrading.Regrading, "run", late)
    refused = regrade("--publish")
    assert refused.exit_code == 1
    assert "nothing is published. Run `lethe admin regrade` again" in refused.stderr
    monkeypatch.setattr(regrading.Regrading, "run", run)
    assert regrade("--publish").exit_code == 0


def test_killed_in_the_middle_it_goes_on_where_it_was(place):
    evaluations = [place.scored(name) for name in ("ada", "eve", "mia")]
    blob = place.blob_of_run(evaluations[1])
    content = blob.read_bytes()
    blob.unlink()
    os.mkfifo(blob)  # whoever reads it waits here
    command = [sys.executable, "-m", "cli.main", "admin", "regrade"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 180
    while (grader.VERSION, False) not in place.scores() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.kill()
    running.wait()
    assert place.scores().count((grader.VERSION, False)) == 1
    blob.unlink()
    blob.write_bytes(content)
    told = json.loads(regrade("--json", "--publish").stdout)
    assert (told["graded"], told["scores"], told["problems"]) == (2, 3, [])


def test_ctrl_c_keeps_what_was_graded_and_says_how_to_go_on(place, monkeypatch):
    place.scored("ada")

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(regrading, "score_runs", stopped)
    result = regrade()
    assert result.exit_code == 130
    assert "Run the command again to go on" in result.stderr


def test_options_that_exclude_each_other_and_unknown_competitions_are_refused(place):
    assert regrade("--publish", "--drop").exit_code == 2
    unknown = regrade("nowhere")
    assert unknown.exit_code == 1
    assert "There is no competition 'nowhere'" in unknown.stderr
    assert regrade("nowhere", "--drop").exit_code == 1


def test_progress_is_a_few_lines_off_a_terminal(place):
    place.scored("ada")
    result = regrade()
    assert "Grading: 3 of 3" in result.stderr
