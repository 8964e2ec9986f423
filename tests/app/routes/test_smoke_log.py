"""The smoke run on its submission's page, and its log: to its owner and admins, as text and nothing else."""

import pytest

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
    assert "has not ended yet" in waiting.json()["detail"]
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
