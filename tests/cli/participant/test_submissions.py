"""`lethe submissions`: the table, CSV and JSON of one's own."""

import csv
import io
import json
import os
import pty
import subprocess
import sys

from tests.cli.service import Answer, submission


def summary(name, **more):
    item = submission()
    return {
        "id": name,
        "competition": "digits",
        "note": item["note"],
        "created_at": item["created_at"],
        "status": "running",
        "verdict": None,
        "reason": None,
        "score": None,
        "runs_done": 3,
        "runs_total": 32,
    } | more


def test_without_an_id_all_pages_of_mine_are_a_table(service, lethe):
    service.on("GET /submissions", Answer(200, {"items": [summary("one")], "next_cursor": "c2"}))
    done = summary("two", status="done", verdict="timed_out", reason="over_cutoff")
    service.on("GET /submissions?cursor=c2", Answer(200, {"items": [done], "next_cursor": None}))
    lines = lethe("submissions").stdout.splitlines()
    assert lines[0].split() == ["id", "competition", "submitted", "(UTC)", "status", "score", "which", "note"]
    assert "running (3/32)" in lines[1]
    assert "timed out (over_cutoff)" in lines[2]


def test_a_list_says_which_score_it_shows(service, lethe):
    done = {"status": "done", "verdict": "scored"}
    items = [
        summary("one", score=0.9, ranked_by="calibrated", **done),
        summary("two", score=0.1, ranked_by="official", **done),
        summary("three", ranked_by="official"),
    ]
    service.on("GET /submissions", Answer(200, {"items": items, "next_cursor": None}))
    _, first, second, third = lethe("submissions").stdout.splitlines()
    assert "0.9000  calibrated" in first
    assert "0.1000  official" in second
    assert "official" not in third


def test_the_list_stops_at_its_limit_without_asking_for_more(service, lethe):
    service.on(
        "GET /submissions", Answer(200, {"items": [summary("one"), summary("two")], "next_cursor": "c2"})
    )
    result = lethe("submissions", "--limit", "1", "--json")
    assert [item["id"] for item in json.loads(result.stdout)["items"]] == ["one"]
    assert len(service.seen) == 1


def test_an_empty_list_names_the_next_action(service, lethe):
    service.on("GET /submissions", Answer(200, {"items": [], "next_cursor": None}))
    result = lethe("submissions")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "lethe submit" in result.stderr


def test_csv_has_a_row_for_each_and_no_formulas(service, lethe):
    items = [
        summary("one", status="done", verdict="scored", score=0.0812, ranked_by="official"),
        summary("two", note="=HYPERLINK(1)"),
    ]
    service.on("GET /submissions?competition=digits", Answer(200, {"items": items, "next_cursor": None}))
    result = lethe("submissions", "--csv", "-c", "digits")
    first, second = csv.DictReader(io.StringIO(result.stdout))
    assert (first["id"], first["score"], first["verdict"]) == ("one", "0.0812", "scored")
    assert (second["score"], second["note"]) == ("", "'=HYPERLINK(1)")


def test_csv_and_json_at_once_is_a_usage_error(lethe):
    assert lethe("submissions", "--csv", "--json").exit_code == 2


def test_in_a_narrow_terminal_notes_are_cut_short_and_lines_are_not_broken(service, env):
    items = [summary("one", note="a note that goes on and on " * 10), summary("two", note="short")]
    service.on("GET /submissions", Answer(200, {"items": items, "next_cursor": None}))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cli.main", "submissions"]
    environment = {**os.environ, "COLUMNS": "100", "TERM": "xterm"}
    done = subprocess.run(command, stdout=theirs, stdin=subprocess.DEVNULL, env=environment, check=True)
    os.close(theirs)
    lines = os.read(ours, 65536).decode().splitlines()
    os.close(ours)
    assert done.returncode == 0
    assert len(lines) == 3
    assert max(map(len, lines)) <= 100
    assert "a note" in lines[1]
    assert lines[1].endswith("...")
    assert lines[2].endswith("short")
