"""How far a submission is and when it may be done, as API and page say it."""

from datetime import timedelta

import pytest

from app import evaluations, workers
from app.db import unit_of_work
from app.evaluations import RunOutcome
from app.status import Verdict, WorkerState
from app.workers import Identity
from tests.lending import lend
from tests.seeding import DAY, LEASE


@pytest.fixture
def progress(client, bearer):
    def of(submission, name="ada"):
        client.app.state.context.queues._kept = None  # as if a second had passed
        return client.get(f"/api/v1/submissions/{submission}", headers=bearer(name)).json()["progress"]

    return of


def at_work(world, name="worker-1", device="cpu", state=WorkerState.IDLE, silent=0.0):
    who = Identity(name, "host", 1, device, "d" * 16, "Test", "bubblewrap", "0", world.clock())
    with unit_of_work(world.engine) as session:
        workers.beat(session, who, state, None, world.clock() - timedelta(seconds=silent))


def steady(world, name, seconds=2.0):
    """Submit, run and score, with runs that keep their worker for so long."""
    submission = world.submit(name)
    for index in range(4):
        with unit_of_work(world.engine) as session:
            [claim] = lend(session, worker="w", limit=1, now=world.clock(), lease=LEASE, queue_due=DAY)
        world.clock.forward(seconds=seconds)
        with unit_of_work(world.engine) as session:
            ended = RunOutcome(0.8, f"{index:064d}")
            led_to = evaluations.record(session, claim, ended, world.clock(), LEASE, DAY)
    assert led_to == "last"
    world.last_evaluation = claim.evaluation_id
    world.score(0.08, 0.98, 0.97)
    return submission


def names(found, state):
    return [stage["name"] for stage in found["stages"] if stage["state"] == state]


def test_nothing_is_estimated_before_anything_was_measured(world, progress):
    at_work(world)
    found = progress(world.submit("ada"))
    assert (found["ahead"], found["estimate"]) == (0, None)
    assert found["estimate_words"] == "no estimate yet: no run has been timed here"
    assert names(found, "done") == ["received"]
    assert names(found, "now") == ["queued"]
    assert names(found, "ahead") == ["runs", "scoring", "done"]


def test_an_estimate_rests_on_what_runs_kept_their_workers_for_and_on_who_is_at_work(world, progress):
    steady(world, "grace")
    world.submit("grace")
    world.clock.forward(seconds=1)
    mine = world.submit("ada")
    assert progress(mine)["estimate_words"] == "no estimate: no worker that may take it is at work now"
    at_work(world)
    found = progress(mine)
    assert found["ahead"] == 1
    # two submissions of four runs of 2 s, with a scoring of 2 s each
    assert found["estimate"] == {
        "low_seconds": 20,
        "high_seconds": 20,
        "until": "score",
        "measured_runs": 4,
        "workers": 1,
    }
    at_work(world, "worker-2")
    assert progress(mine)["estimate"]["high_seconds"] < 20


@pytest.mark.parametrize(
    "terms",
    [
        {"state": WorkerState.DRAINING},
        {"state": WorkerState.SUSPECT},
        {"silent": 100_000.0},
    ],
)
def test_a_worker_that_takes_no_runs_is_not_counted(world, progress, terms):
    steady(world, "grace")
    at_work(world, **terms)
    assert progress(world.submit("ada"))["estimate"] is None


def test_who_comes_again_waits_behind_who_comes_first_and_is_told_so(world, progress):
    first, second = world.submit("ada"), world.submit("ada")
    world.clock.forward(seconds=1)
    other = world.submit("grace")
    assert [progress(first)["ahead"], progress(other, "grace")["ahead"], progress(second)["ahead"]] == [
        0,
        1,
        2,
    ]


def test_runs_count_up_and_what_was_our_fault_is_said(world, progress):
    submission = world.submit("ada")
    world.lose_one()
    [waiting] = progress(submission)["remarks"]
    assert waiting == "Run 1 was lost and waits for another worker: our fault, nothing is charged."
    world.run(3)
    found = progress(submission)
    assert (found["runs_done"], found["runs_total"], found["ahead"]) == (3, 4, None)
    assert found["remarks"] == ["Run 1 was given to another worker: our fault, nothing is charged."]
    assert names(found, "now") == ["runs"]


def test_a_scored_submission_has_how_long_each_stage_took(world, progress):
    found = progress(steady(world, "ada"))
    assert [(stage["name"], stage["seconds"]) for stage in found["stages"]] == [
        ("received", None),
        ("queued", 0.0),
        ("runs", 8.0),
        ("scoring", 2.0),
        ("done", None),
    ]
    assert (found["estimate"], found["estimate_words"]) == (None, None)


def test_a_submission_that_failed_stopped_in_its_runs_and_never_reached_scoring(world, progress):
    submission = world.submit("ada")
    world.run(2, RunOutcome(1.48, None, Verdict.TIMED_OUT, "over_cutoff"))
    found = progress(submission)
    assert names(found, "stopped") == ["runs"]
    assert [stage["name"] for stage in found["stages"]] == ["received", "queued", "runs", "done"]


def test_a_smoke_run_is_a_stage_of_its_own(world, progress):
    world.reference(smoke=True)
    submission = world.submit("ada")
    assert "smoke" in names(progress(submission), "ahead")
    world.claim_one()
    assert names(progress(submission), "now") == ["smoke"]


def test_the_smoke_run_hands_over_to_the_runs(world, progress):
    world.reference(smoke=True)
    submission = world.submit("ada")
    world.smoke(b"hello")
    assert names(progress(submission), "now") == ["runs"]


def test_stage_times_are_no_finer_than_the_competition_publishes(world, progress):
    world.competition("coarse", publish={"seconds_decimals": 0})
    submission = world.submit("ada", slug="coarse")
    world.clock.forward(seconds=1.234567)
    world.run(1)
    for stage in progress(submission)["stages"]:
        assert stage["seconds"] in (None, round(stage["seconds"] or 0))
        assert stage["started_at"] is None or "." not in stage["started_at"]


def test_the_place_in_the_queue_moves_the_tag_and_nothing_else_does(client, world, bearer):
    context = client.app.state.context
    world.submit("grace")
    world.clock.forward(seconds=1)
    url, headers = f"/api/v1/submissions/{world.submit('ada')}", bearer("ada")
    first = client.get(url, headers=headers)
    context.queues._kept = None
    same = client.get(url, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert same.status_code == 304
    world.run(4)
    context.queues._kept = None
    moved = client.get(url, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert moved.status_code == 200
    assert (first.json()["progress"]["ahead"], moved.json()["progress"]["ahead"]) == (1, 0)


def test_the_page_says_where_it_is_and_marks_the_current_stage(client, world, sign_in):
    sign_in("ada")
    for _ in range(2):  # the second of them has to wait for its turn
        world.submit("grace")
    world.clock.forward(seconds=1)
    mine = world.submit("ada")
    text = client.get(f"/submissions/{mine}").text
    assert "1 submission before yours." in text
    assert text.count('aria-current="step"') == 1
    assert "No estimate yet: no run has been timed here" in text
    assert text.count('role="status"') == 1


def test_the_page_of_a_submission_that_ended_within_its_first_second_took_no_time(client, world, sign_in):
    world.clock.forward(microseconds=900_000)
    submission = world.submit("ada")
    world.clock.forward(microseconds=50_000)
    sign_in("ada")
    assert client.post(f"/submissions/{submission}/cancel").status_code == 303
    text = client.get(f"/submissions/{submission}").text
    assert "0 s in all" in text
    assert "■" in text


def test_the_page_says_what_scoring_usually_takes(client, world, sign_in, progress):
    steady(world, "grace")
    submission = world.submit("ada")
    assert world.run(4) == "last"
    progress(submission)
    sign_in("ada")
    text = client.get(f"/submissions/{submission}").text
    assert "Scoring usually takes <strong>less than 5 s</strong>" in text
    assert "goes first" not in text
