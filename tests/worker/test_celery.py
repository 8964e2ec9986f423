"""Workers under Celery and a real Redis: woken, watched, drained, killed. Only their sandboxes sleep instead of running."""

import json
import logging
import threading
import time
from contextlib import ExitStack

import pytest
from redis import Redis as Client

from app.queue import MOST_WAITING, CeleryBell, Silent, celery_app, doorbell
from app.settings import Settings
from app.status import Lane, RunStatus, Verdict, WorkerState
from tests.farm import Farm
from tests.processes import Redis, wait_until


@pytest.fixture(scope="module")
def redis():
    server = Redis()
    server.start()
    yield server
    server.close()


@pytest.fixture
def farm(bench, redis):
    """A queue with one submission, and a way to start workers for it."""
    if redis.process.poll() is not None:
        redis.start()
    Client(port=redis.port).flushall()
    with ExitStack() as started:
        yield Farm(bench, redis, started)


def ends_with(process, code=0):
    return process.wait(60) == code


def test_a_submission_wakes_a_worker_that_has_nothing_to_do(farm):
    farm.worker("w1")
    wait_until(lambda: farm.verdict(farm.bench.submission_id))  # by its first look round
    wait_until(lambda: farm.celery_is_ready("w1"))
    second = farm.bench.submit(doorbell(farm.settings))
    assert wait_until(lambda: farm.verdict(second)) is Verdict.SCORED


def test_celerys_own_commands_answer_in_the_middle_of_a_run(farm):
    farm.cancel_first()  # the first look round would take it, not a message
    farm.worker("w1", seconds=20.0)
    wait_until(lambda: farm.celery_is_ready("w1"))
    farm.bench.submit(doorbell(farm.settings))
    wait_until(lambda: farm.runs(RunStatus.RUNNING))
    ((host, answer),) = farm.inspect("ping", "w1").items()
    assert (host.partition("@")[0], answer) == ("w1", {"ok": "pong"})
    ((_, tasks),) = farm.inspect("active", "w1").items()
    assert [task["name"] for task in tasks] == ["lethe.wake"]
    ((_, stats),) = farm.inspect("stats", "w1").items()
    assert (stats["pool"]["max-concurrency"], stats["pid"]) == (1, farm.workers()["w1"].pid)
    assert farm.runs(RunStatus.RUNNING)
    wait_until(lambda: [farm.workers()["w1"].run_id] == [run.id for run in farm.runs(RunStatus.RUNNING)])
    assert farm.workers()["w1"].state is WorkerState.RUNNING


def test_one_message_brings_every_free_worker_to_a_submission(farm):
    farm.cancel_first()
    for name in ("w1", "w2", "w3"):
        farm.worker(name, seconds=6.0)
    for name in ("w1", "w2", "w3"):
        wait_until(lambda name=name: farm.celery_is_ready(name))
    second = farm.bench.submit(doorbell(farm.settings))
    assert wait_until(lambda: farm.verdict(second)) is Verdict.SCORED
    assert {run.worker for run in farm.runs(submission_id=second)} == {"w1", "w2", "w3"}


def test_without_its_broker_a_worker_goes_on_by_its_own_beat(farm):
    farm.worker("w1", LETHE_REAP_SECONDS="0.5")
    wait_until(lambda: farm.verdict(farm.bench.submission_id))
    farm.redis.stop()
    second = farm.bench.submit(doorbell(farm.settings))
    assert wait_until(lambda: farm.verdict(second)) is Verdict.SCORED


def test_a_worker_starts_and_stops_while_its_broker_is_away(farm):
    farm.redis.stop()
    process = farm.worker("w1", LETHE_REAP_SECONDS="0.5")
    assert wait_until(lambda: farm.verdict(farm.bench.submission_id)) is Verdict.SCORED
    process.terminate()
    assert ends_with(process)


def test_after_its_broker_came_back_empty_messages_wake_a_worker_again(farm):
    farm.worker("w1")
    wait_until(lambda: farm.verdict(farm.bench.submission_id))
    wait_until(lambda: farm.celery_is_ready("w1"))
    farm.redis.stop()
    farm.redis.start()
    wait_until(lambda: farm.celery_is_ready("w1"))
    second = farm.bench.submit(doorbell(farm.settings))
    assert wait_until(lambda: farm.verdict(second)) is Verdict.SCORED


def test_a_broker_that_answers_with_an_error_stops_no_worker(farm):
    process = farm.worker("w1")
    wait_until(lambda: farm.verdict(farm.bench.submission_id))
    wait_until(lambda: farm.celery_is_ready("w1"))
    client = Client(port=farm.redis.port)
    blocked = wait_until(lambda: [one["id"] for one in client.client_list() if one["cmd"] == "brpop"])
    for one in blocked:  # as a failover does
        client.client_unblock(int(one), error=True)
    second = farm.bench.submit(doorbell(farm.settings))
    assert wait_until(lambda: farm.verdict(second)) is Verdict.SCORED
    assert process.poll() is None


def test_told_to_stop_a_worker_ends_its_run_and_takes_no_other(farm):
    process = farm.worker("w1", seconds=8.0, LETHE_DRAIN_SECONDS="60")
    wait_until(lambda: farm.runs(RunStatus.RUNNING))
    process.terminate()
    wait_until(lambda: farm.workers().get("w1") is None or farm.workers()["w1"].state is WorkerState.DRAINING)
    assert ends_with(process)
    states = [run.status for run in farm.runs()]
    assert states == [RunStatus.SUCCEEDED, *[RunStatus.QUEUED] * 3]
    assert farm.workers() == {}


def test_told_to_stop_before_celery_has_started_a_worker_stops(farm):
    farm.cancel_first()
    process = farm.worker("w1")  # there is a row of it, which it writes before it starts Celery
    process.terminate()
    assert ends_with(process)
    assert farm.workers() == {}


def test_celerys_own_shutdown_stops_a_worker_like_a_signal(farm):
    process = farm.worker("w1", seconds=20.0)
    wait_until(lambda: farm.runs(RunStatus.RUNNING))
    wait_until(lambda: farm.celery_is_ready("w1"))
    celery_app(farm.settings).control.shutdown()
    assert ends_with(process)
    assert {(run.status, run.losses) for run in farm.runs()} == {(RunStatus.QUEUED, 0)}


def test_told_twice_a_worker_gives_its_run_back_at_once_and_without_blame(farm):
    process = farm.worker("w1", seconds=20.0, LETHE_DRAIN_SECONDS="600")
    wait_until(lambda: farm.runs(RunStatus.RUNNING))
    process.terminate()
    wait_until(lambda: farm.workers()["w1"].state is WorkerState.DRAINING)
    assert farm.runs(RunStatus.RUNNING)
    process.terminate()
    assert ends_with(process)
    assert {(run.status, run.losses) for run in farm.runs()} == {(RunStatus.QUEUED, 0)}


def test_the_runs_of_a_killed_worker_are_taken_up_within_the_lease_and_a_reapers_turn(farm):
    killed = farm.worker("w1", seconds=10.0, LETHE_REAP_SECONDS="5")
    wait_until(lambda: farm.runs(RunStatus.RUNNING))
    other = farm.bench.submit()
    farm.worker("w2", seconds=0.05, LETHE_REAP_SECONDS="5")
    (lost,) = wait_until(lambda: [run for run in farm.runs(RunStatus.RUNNING) if run.worker == "w1"])
    killed.kill()
    begun = time.monotonic()

    def taken_up():
        (run,) = [run for run in farm.runs() if run.id == lost.id]
        return run.worker == "w2"

    wait_until(taken_up)
    assert time.monotonic() - begun < 6 + 45
    assert wait_until(lambda: farm.verdict(farm.bench.submission_id)) is Verdict.SCORED
    assert wait_until(lambda: farm.verdict(other)) is Verdict.SCORED
    assert farm.workers()["w1"].state in {WorkerState.RUNNING, WorkerState.LOST}


def test_a_message_says_nothing_but_wake_up_and_expires(farm):
    doorbell(farm.settings).ring("cuda", Lane.LOW)
    client = Client(port=farm.redis.port)
    (message,) = [json.loads(one) for one in wait_until(lambda: client.lrange("lethe.cuda.low", 0, -1))]
    assert (message["headers"]["task"], message["content-type"]) == ("lethe.wake", "application/json")
    assert message["headers"]["expires"] is not None
    assert message["headers"]["argsrepr"] == "()"


def test_messages_that_nobody_hears_do_not_fill_the_broker(farm):
    bell, client = doorbell(farm.settings), Client(port=farm.redis.port)
    for turn in range(MOST_WAITING + 20):
        bell.ring("cuda")
        wait_until(lambda turn=turn: client.llen("lethe.cuda") >= min(turn + 1, MOST_WAITING))
    time.sleep(0.5)
    assert client.llen("lethe.cuda") == MOST_WAITING


def test_a_broker_that_is_away_delays_no_submission_and_is_told_of_in_the_log(bench, caplog, monkeypatch):
    settings = Settings(data_dir=bench.settings.data_dir, broker_url="redis://127.0.0.1:1/0")
    bell = CeleryBell(celery_app(settings))
    ask, rung, rung_in_time = bell._waiting_in, threading.Event(), []

    def slow(queue):
        rung_in_time.append(rung.wait(20))
        return ask(queue)

    monkeypatch.setattr(bell, "_waiting_in", slow)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            bell.ring()
        assert bench.submit(bell)
        rung.set()
        wait_until(lambda: "workers look by themselves" in caplog.text)
    assert rung_in_time, "the broker was asked"
    assert all(rung_in_time), "nobody waited for its answer"


def test_on_one_machine_nobody_is_woken_because_nobody_sleeps(bench):
    assert isinstance(doorbell(bench.settings), Silent)
