"""The smoke run on its submission's page, and its log: to its owner and admins, as text and nothing else."""

import pytest

from app import evaluations
from app.db import unit_of_work

EVIL = b"<script>alert(1)</script></pre><img src=x onerror=alert(1)> {{ 7 * 7 }} \x1b[31mred\n"


@pytest.fixture
def smoky(world):
    """A world whose digits come with public data, and a submission to them."""
    world.reference(smoke=True)
    world.clock.forward(seconds=1)
    return world, world.submit("ada")


def log_of(submission):
    return f"/api/v1/submissions/{submission}/log"


def test_the_log_is_text_to_download_and_never_anything_else(client, smoky, bearer):
    world, submission = smoky
    world.smoke(EVIL)
    answer = client.get(log_of(submission), headers=bearer("ada"))
    assert answer.status_code == 200
    assert answer.text == EVIL.decode().replace("\x1b[31m", "")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_the_log_is_its_owners_and_the_admins(client, smoky, bearer):
    world, submission = smoky
    world.smoke(b"mine")
    assert client.get(log_of(submission)).status_code == 401
    assert client.get(log_of(submission), headers=bearer("grace")).status_code == 404
    assert client.get(log_of(submission), headers=bearer("root")).text == "mine"


def test_without_a_log_the_answer_says_why(client, world, smoky, bearer):
    _, submission = smoky
    waiting = client.get(log_of(submission), headers=bearer("ada"))
    assert (waiting.status_code, waiting.json()["code"]) == (404, "not_found")
    assert "has not begun yet" in waiting.json()["detail"]
    client.post(f"/api/v1/submissions/{submission}/cancel", headers=bearer("ada"))
    assert "was not run" in client.get(log_of(submission), headers=bearer("ada")).json()["detail"]
    world.reference()
    plain = world.submit("ada")
    world.run(1)
    assert "gives none" in client.get(log_of(plain), headers=bearer("ada")).json()["detail"]


def test_the_api_tells_of_the_smoke_run_and_counts_the_others_alone(client, smoky, bearer):
    world, submission = smoky
    url = f"/api/v1/submissions/{submission}"
    before = client.get(url, headers=bearer("ada"))
    assert before.json()["smoke"] == {
        "status": "queued",
        "verdict": None,
        "reason": None,
        "seconds": None,
        "log": None,
        "dropped_bytes": None,
    }
    world.smoke(b"said", dropped=12)
    after = client.get(url, headers=bearer("ada", **{"If-None-Match": before.headers["ETag"]}))
    assert after.json()["smoke"] == {
        "status": "succeeded",
        "verdict": None,
        "reason": None,
        "seconds": 0.34,
        "log": log_of(submission),
        "dropped_bytes": 12,
    }
    assert after.json()["runs"] == {"total": 4, "succeeded": 0, "running": 0, "queued": 4, "failed": 0}
    assert [run["seed_index"] for run in after.json()["run_details"]] == [0, 1, 2, 3]
    listed = client.get("/api/v1/submissions", headers=bearer("ada")).json()["items"][0]
    assert (listed["runs_done"], listed["runs_total"]) == (0, 4)


def test_while_the_run_goes_on_its_log_is_what_it_has_printed_and_grows(client, smoky, bearer):
    world, submission = smoky
    claim = world.claim_one()
    assert client.get(f"/api/v1/submissions/{submission}", headers=bearer("ada")).json()["smoke"][
        "log"
    ] == log_of(submission)
    silent = client.get(log_of(submission), headers=bearer("ada"))
    assert (silent.text, silent.headers["Lethe-Run-Status"]) == ("", "running")
    world.print_so_far(claim, "epoch 1\n")
    known = {"If-None-Match": silent.headers["ETag"]}
    first = client.get(log_of(submission), headers=bearer("ada", **known))
    assert (first.text, first.headers["Lethe-Poll-Interval"]) == ("epoch 1\n", "2")
    known = {"If-None-Match": first.headers["ETag"]}
    same = client.get(log_of(submission), headers=bearer("ada", **known))
    assert (same.status_code, same.headers["Lethe-Run-Status"]) == (304, "running")
    world.smoke(b"epoch 1\n", claim=claim)  # it printed no more, but that is news too
    ended = client.get(log_of(submission), headers=bearer("ada", **known))
    assert (ended.text, ended.headers["Lethe-Run-Status"]) == ("epoch 1\n", "succeeded")
    assert "Lethe-Poll-Interval" not in ended.headers


def test_a_log_that_grows_is_nobody_elses(client, smoky, bearer):
    world, submission = smoky
    world.print_so_far(world.claim_one(), "mine")
    assert client.get(log_of(submission)).status_code == 401
    assert client.get(log_of(submission), headers=bearer("grace")).status_code == 404


def test_what_a_lost_or_stopped_run_had_printed_stays_and_the_next_begins_anew(client, smoky, bearer):
    world, submission = smoky
    claim = world.claim_one()
    world.print_so_far(claim, "epoch 1\n")
    with unit_of_work(world.engine) as session:
        evaluations.give_back(session, claim, "worker_lost", world.clock())
    waiting = client.get(log_of(submission), headers=bearer("ada"))
    assert (waiting.text, waiting.headers["Lethe-Run-Status"]) == ("epoch 1\n", "queued")
    again = world.claim_one()
    assert client.get(log_of(submission), headers=bearer("ada")).text == ""
    world.print_so_far(again, "epoch 0\n")
    client.post(f"/api/v1/submissions/{submission}/cancel", headers=bearer("ada"))
    with unit_of_work(world.engine) as session:
        assert evaluations.stop_cancelled(session, again, world.clock())
    stopped = client.get(log_of(submission), headers=bearer("ada"))
    assert (stopped.text, stopped.headers["Lethe-Run-Status"]) == ("epoch 0\n", "skipped")
    assert "Lethe-Poll-Interval" not in stopped.headers


def test_the_page_says_at_each_step_what_its_log_is(client, smoky, sign_in):
    world, submission = smoky
    sign_in("ada")

    def page():
        return client.get(f"/submissions/{submission}").text

    claim = world.claim_one()
    assert "No output so far." in page()
    world.print_so_far(claim, "<b>1</b>\n")
    going = page()
    assert "It is running now. What it prints appears here within seconds." in going
    assert f'data-log="{log_of(submission)}"' in going
    assert "What it has printed so far." in going
    assert "&lt;b&gt;1&lt;/b&gt;" in going
    with unit_of_work(world.engine) as session:
        evaluations.give_back(session, claim, "worker_lost", world.clock())
    assert "It was broken off, which was our fault." in page()
    assert "What it had printed until then." in page()
    world.smoke(b"2\n")
    ended = page()
    assert "1 lines" not in ended
    assert "data-log" not in ended
    assert "&lt;b&gt;" not in ended


def test_a_scored_submission_shows_the_seconds_of_its_seeds_alone(client, smoky, bearer):
    world, submission = smoky
    world.smoke(b"")
    assert world.run(4, seed=3) == "last"
    world.score(0.08, 0.98, 0.97)
    [row] = client.get("/api/v1/competitions/digits/leaderboard").json()["rows"]
    runs = client.get(f"/api/v1/submissions/{submission}", headers=bearer("ada")).json()["run_details"]
    seconds = sorted(run["seconds"] for run in runs)
    assert row["median_seconds"] == pytest.approx((seconds[1] + seconds[2]) / 2, abs=0.011)


def test_the_page_shows_the_log_escaped_and_says_why_others_have_none(client, smoky, sign_in):
    world, submission = smoky
    sign_in("ada")
    assert "It has not begun yet." in client.get(f"/submissions/{submission}").text
    world.smoke(EVIL, dropped=1234)
    text = client.get(f"/submissions/{submission}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;/pre&gt;" in text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "{{ 7 * 7 }}" in text
    assert "1,234 bytes were left out in the middle" in text
    assert f'href="{log_of(submission)}" download' in text
    assert "Runs on the hidden splits have no log" in text


def test_a_smoke_run_that_printed_nothing_says_so(client, smoky, sign_in):
    world, submission = smoky
    world.smoke(b"")
    sign_in("ada")
    assert "No output: it printed nothing." in client.get(f"/submissions/{submission}").text


def test_a_failed_smoke_run_is_named_as_the_place_with_its_log(client, smoky, sign_in):
    world, submission = smoky
    world.smoke(b"Traceback: ZeroDivisionError", reason="raised")
    sign_in("ada")
    text = client.get(f"/submissions/{submission}").text
    assert "smoke run</a>, on public data" in text
    assert "Traceback: ZeroDivisionError" in text
    assert "run 0 of" not in text


def test_a_submission_without_a_smoke_run_says_that_it_has_no_log(client, world, sign_in):
    submission = world.submit("ada")
    sign_in("ada")
    text = client.get(f"/submissions/{submission}").text
    assert 'id="smoke"' not in text
    assert "None: output of runs on hidden data is not kept" in text
