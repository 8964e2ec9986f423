"""What goes on beside a run: a worker tells that it lives, reaps, and hears that it is to stop."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app import evaluations
from app.db import read_only, unit_of_work
from app.models import Evaluation, Run, Worker
from app.status import RunStatus, Status, Verdict, WorkerState
from tests.lending import lend
from tests.processes import wait_until
from tests.worker.bench import at_length
from worker.ending import Ending
from worker.pipeline import utc_now
from worker.presence import identity, present
from worker.sandbox.base import RunResult
from worker.sandbox.fake import failing

DAY = timedelta(hours=24)


def slow(settings, **changes):
    return settings.model_copy(update=changes)


def workers(bench):
    with read_only(bench.engine) as session:
        return {one.name: (one.state, one.run_id) for one in session.scalars(select(Worker))}


def runs(bench, status):
    with read_only(bench.engine) as session:
        return list(session.scalars(select(Run).where(Run.status == status)))


def here(bench, worker, name="worker-1"):
    who = identity(name, bench.settings, "fake", utc_now())
    return present(bench.engine, who, worker, worker.reaper, bench.settings, utc_now)


def test_the_first_word_lets_a_run_go_on_for_a_while_and_the_second_ends_it():
    now = [100.0]
    ending = Ending(30.0, clock=lambda: now[0])
    assert (ending.asked(), ending.over(), ending.wait(0)) == (False, False, False)
    ending.ask()
    assert (ending.asked(), ending.over(), ending.wait(60)) == (True, False, True)
    now[0] = 130.0
    assert ending.over()
    other = Ending(30.0, clock=lambda: now[0])
    other.ask()
    other.ask()
    assert other.over()


def test_a_worker_shows_its_run_while_it_lasts_and_goes_away_with_its_process(bench):
    worker = bench.worker(lambda _job: RunResult(60.0), retrains=at_length)
    thread = threading.Thread(target=worker.run_forever)
    with here(bench, worker):
        assert workers(bench) == {"worker-1": (WorkerState.IDLE, None)}
        thread.start()
        (run,) = wait_until_some(lambda: runs(bench, RunStatus.RUNNING))
        wait_until(lambda: workers(bench) == {"worker-1": (WorkerState.RUNNING, run.id)})
        worker.stop()
        thread.join(20)
        wait_until(lambda: workers(bench) == {"worker-1": (WorkerState.DRAINING, None)})
    bench.pool.close()
    assert workers(bench) == {}


def wait_until_some(found):
    wait_until(lambda: len(found()) > 0)
    return found()


def test_a_worker_reaps_what_another_has_lost_in_the_middle_of_its_own_run(bench):
    bench.settings = slow(bench.settings, reap_seconds=0.3)
    worker = bench.worker(lambda _job: RunResult(60.0), retrains=at_length)
    worker.step()  # calibrates
    worker_runs = threading.Thread(target=worker.run_forever)
    worker_runs.start()
    wait_until(lambda: len(runs(bench, RunStatus.RUNNING)) == 1)
    with unit_of_work(bench.engine) as session:
        past = datetime.now(UTC) - timedelta(hours=1)
        lent = {"worker": "dead", "limit": 1, "now": past, "lease": timedelta(seconds=1)}
        (lost,) = lend(session, **lent, queue_due=DAY)
    with here(bench, worker):
        wait_until(lambda: lost.run_id in {run.id for run in runs(bench, RunStatus.QUEUED)})
    worker.stop()
    worker_runs.join(20)
    bench.pool.close()


@pytest.mark.parametrize(("fails", "counted"), [(False, 1), (True, 0)])
def test_while_it_drains_a_run_that_ends_well_counts_and_one_that_fails_is_blamed_on_nobody(
    bench, fails, counted
):
    bench.settings = slow(bench.settings, drain_seconds=60.0)
    behaviour = failing("raised", 0.01) if fails else bench.honest
    worker = bench.worker(lambda job: (worker.stop(), behaviour(job))[1])
    worker.run_forever()
    bench.pool.close()
    assert len(runs(bench, RunStatus.SUCCEEDED)) == counted
    assert len(runs(bench, RunStatus.QUEUED)) == 4 - counted
    assert sum(run.losses for run in bench.evaluation()[2]) == 0
    assert bench.evaluation()[0].status is Status.RUNNING


def test_a_drain_that_lasts_too_long_kills_the_run_and_gives_it_back_without_blame(bench):
    bench.settings = slow(bench.settings, drain_seconds=0.5)
    worker = bench.worker(lambda _job: RunResult(60.0), retrains=at_length)
    thread = threading.Thread(target=worker.run_forever)
    thread.start()
    wait_until(lambda: len(runs(bench, RunStatus.RUNNING)) == 1)
    worker.stop()
    thread.join(20)
    bench.pool.close()
    assert {(run.status, run.losses) for run in bench.evaluation()[2]} == {(RunStatus.QUEUED, 0)}


def test_every_status_that_is_not_final_is_due_at_some_time_and_every_lent_run_has_a_lease(bench):
    """Watch all rows after every commit of a whole way, with a lost run and a stopped one in it."""
    seen = set()

    def check():
        with read_only(bench.engine) as session:
            for one in session.scalars(select(Evaluation)):
                seen.add(one.status)
                assert (one.due_at is None) == (one.status is Status.DONE), one.status
            for run in session.scalars(select(Run)):
                assert (run.lease_until is None) == (run.status is not RunStatus.RUNNING), run.status

    worker = bench.worker(lambda job: (check(), bench.honest(job))[1])
    check()
    worker.step()  # calibrates
    now = datetime.now(UTC)
    with unit_of_work(bench.engine) as session:
        _, stopped = lend(session, worker="w", limit=2, now=now, lease=timedelta(0), queue_due=DAY)
    check()
    with unit_of_work(bench.engine) as session:
        evaluations.give_back(session, stopped, "worker_lost", now, count_loss=False)
    check()
    with unit_of_work(bench.engine) as session:
        assert evaluations.reap(session, now, DAY) == 1
    check()
    score = bench.device.score
    bench.device.score = lambda *given: (check(), score(*given))[1]
    bench.drain(worker)
    check()
    assert seen == set(Status)
    assert bench.evaluation()[0].verdict is Verdict.SCORED
