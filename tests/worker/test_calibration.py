"""Workers that measure retraining before they take runs; only the sandbox is the fake."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app import calibrations, evaluations
from app.db import read_only, unit_of_work
from app.models import Calibration, Event
from app.status import RunStatus, Verdict
from tests.processes import wait_until
from tests.worker.bench import Patience
from worker.calibration import REPEATS
from worker.calibration_bundle import bundle
from worker.pipeline import Step
from worker.sandbox.base import RunResult, SandboxFault
from worker.sandbox.fake import failing


class Clock:
    def __init__(self):
        self.now = datetime.now(UTC)

    def __call__(self):
        return self.now


class Retraining:
    """Takes the seconds that it is told, one after the other and then the last again; remembers the jobs."""

    def __init__(self, *seconds):
        self.seconds = list(seconds)
        self.jobs = []

    def __call__(self, job):
        self.jobs.append(job)
        seconds = self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]
        return RunResult(seconds, b"retrained")


def stored(bench):
    with read_only(bench.engine) as session:
        return list(session.scalars(select(Calibration)))


def details(bench, kind):
    with read_only(bench.engine) as session:
        return [one.detail for one in session.scalars(select(Event).where(Event.kind == kind))]


def test_a_device_is_measured_before_it_takes_its_first_run_and_only_then(bench):
    retrains = Retraining(0.03, 0.01, 0.02)
    worker = bench.worker(bench.honest, retrains=retrains)
    assert worker.step() is Step.WORKED
    assert {run.status for run in bench.evaluation()[2]} == {RunStatus.QUEUED}
    bench.drain(worker)
    evaluation, score, runs = bench.evaluation()
    [one] = stored(bench)
    assert (one.seconds, one.repeats, one.worker) == (0.02, [0.03, 0.01, 0.02], "worker-1")
    assert len(retrains.jobs) == REPEATS
    assert {run.cutoff_seconds for run in runs} == {2.0}
    assert {run.calibration_id for run in runs} == {one.id}
    assert evaluation.verdict is Verdict.SCORED
    assert score.report["time"]["share_of_cutoff"] == pytest.approx(
        [run.seconds / run.cutoff_seconds for run in runs]
    )


def test_retraining_is_a_bundle_like_any_other_with_seeds_of_its_own_and_a_generous_cutoff(bench):
    retrains = Retraining(0.01)
    bench.worker(bench.honest, retrains=retrains).step()
    bench.pool.close()
    assert {job.bundle for job in retrains.jobs} == {bundle()}
    assert len({job.seed for job in retrains.jobs}) == REPEATS
    assert min(job.cutoff_seconds for job in retrains.jobs) > 60


def test_the_fingerprint_that_is_stored_holds_the_competitions_limits_and_the_back_end(bench):
    bench.worker(bench.honest).step()
    bench.pool.close()
    [one] = stored(bench)
    assert (one.facts["sandboxes"], one.facts["threads"], one.facts["memory_mb"]) == ("fake", 1, 3000)
    assert one.device_name.endswith(", 1 thread")
    assert len(one.device) == 16


def test_another_process_on_an_equal_device_looks_once_and_keeps_what_is_stored(bench):
    bench.worker(bench.honest, retrains=Retraining(0.02)).step()
    bench.pool.close()
    second = Retraining(0.022)
    bench.drain(bench.worker(bench.honest, "worker-2", retrains=second))
    [one] = stored(bench)
    assert (one.seconds, one.worker) == (0.02, "worker-1")
    assert one.drift == pytest.approx(1.1)
    assert len(second.jobs) == 1
    assert {run.cutoff_seconds for run in bench.evaluation()[2]} == {2.0}
    assert details(bench, "calibration.drifted") == []


def test_a_device_that_drifted_is_told_of_and_works_on_under_the_old_cutoff(bench, caplog):
    bench.worker(bench.honest, retrains=Retraining(0.02)).step()
    bench.pool.close()
    with caplog.at_level(logging.WARNING):
        bench.drain(bench.worker(bench.honest, "worker-2", retrains=Retraining(0.05)))
    [one] = stored(bench)
    assert one.drift == pytest.approx(2.5)
    assert "0.050 s now, 0.020 s stored (ratio 2.50)" in details(bench, "calibration.drifted")[0]
    assert "the calibration of tiny public has drifted" in caplog.text
    evaluation, _, runs = bench.evaluation()
    assert evaluation.verdict is Verdict.SCORED
    assert {run.cutoff_seconds for run in runs} == {2.0}


def test_a_process_looks_again_after_the_hours_of_the_settings(bench):
    bench.settings = bench.settings.model_copy(update={"calibration_check_hours": 2.0})
    clock, retrains = Clock(), Retraining(0.02)
    worker = bench.worker(bench.honest, retrains=retrains, clock=clock)
    worker.step()
    for minutes, looks in ((0, 0), (119, 0), (2, 1), (119, 1)):
        clock.now += timedelta(minutes=minutes)
        worker.step()
        assert len(retrains.jobs) == REPEATS + looks
    bench.pool.close()
    [one] = stored(bench)
    assert one.checked_at == clock.now - timedelta(minutes=119)


def test_what_an_admin_marked_is_measured_afresh_and_moves_only_later_cutoffs(bench):
    retrains = Retraining(0.02, 0.02, 0.02, 0.04)
    worker = bench.worker(bench.honest, retrains=retrains)
    worker.step()
    worker.step()
    with unit_of_work(bench.engine) as session:
        calibrations.mark_stale(session, stored(bench)[0].id, "root", datetime.now(UTC))
    bench.drain(worker)
    [one] = stored(bench)
    assert (one.seconds, one.stale) == (0.04, False)
    assert len(retrains.jobs) == 2 * REPEATS
    cutoffs = [run.cutoff_seconds for run in bench.evaluation()[2]]
    assert sorted(cutoffs) == pytest.approx([2.0, 4.0, 4.0, 4.0])


def test_a_retraining_that_fails_is_ours_and_its_words_say_what_ended_it(bench, caplog):
    worker = bench.worker(bench.honest, retrains=failing("memory_limit", 0.01))
    assert worker.step() is Step.FAULT
    bench.pool.close()
    assert "retraining tiny public to calibrate this device ended with memory_limit" in caplog.text
    assert stored(bench) == []
    assert {(run.status, run.losses) for run in bench.evaluation()[2]} == {(RunStatus.QUEUED, 0)}


def test_a_device_that_cannot_be_measured_passes_its_reference_over_for_longer_each_time(bench):
    clock, calls = Clock(), []
    worker = bench.worker(bench.honest, clock=clock, retrains=lambda job: calls.append(job) or broken(job))
    for minutes, tries in ((0, 1), (0.5, 1), (0.6, 2), (1.5, 2), (0.6, 3)):
        clock.now += timedelta(minutes=minutes)
        assert worker.step() in {Step.FAULT, Step.IDLE}
        assert len(calls) == tries
    bench.pool.close()


def broken(_job):
    raise SandboxFault("broken")


def test_while_a_device_cannot_be_measured_its_worker_waits_and_another_device_takes_the_runs(bench):
    patience = Patience(2)
    sick = patience.worker = bench.worker(bench.honest, "sick", wait=patience, retrains=broken)
    sick.run_forever()
    bench.pool.close()
    assert patience.seconds == [1, bench.settings.poll_seconds]
    bench.drain(bench.worker(bench.honest, "healthy"))
    evaluation, _, runs = bench.evaluation()
    assert evaluation.verdict is Verdict.SCORED
    assert {(run.worker, run.losses) for run in runs} == {("healthy", 0)}


def test_after_a_failed_measurement_the_sandboxes_are_probed(bench):
    probed = []
    worker = bench.worker(bench.honest, retrains=broken, probe=lambda: probed.append(True))
    worker.step()
    worker.step()
    bench.pool.close()
    assert probed == [True]


def test_a_stopping_worker_leaves_its_measurement_and_stores_nothing(bench):
    begun = threading.Event()

    def retrains(_job):
        begun.set()
        return RunResult(60.0, b"retrained")

    worker = bench.worker(bench.honest, retrains=retrains)
    started = threading.Thread(target=worker.run_forever)
    started.start()
    assert begun.wait(20)
    worker.stop()
    started.join(20)
    assert not started.is_alive()
    bench.pool.close()
    assert stored(bench) == []


def test_nobodys_lease_runs_while_a_device_is_measured(bench):
    """Another worker, whose device is measured already, takes the runs meanwhile."""
    go_on = threading.Event()

    def retrains(_job):
        go_on.wait(20)
        return RunResult(0.01, b"retrained")

    slow = bench.worker(bench.honest, "slow", retrains=retrains)
    slow_pool = bench.pool
    measuring = threading.Thread(target=slow.step)
    measuring.start()
    bench.drain(bench.worker(bench.honest, "quick"))
    assert {run.worker for run in bench.evaluation()[2]} == {"quick"}
    go_on.set()
    measuring.join(20)
    slow_pool.close()
    [one] = stored(bench)
    assert one.worker == "quick"  # the first decided


def test_a_cancel_that_comes_while_a_device_is_measured_leaves_nothing_to_run(bench):
    begun, go_on = threading.Event(), threading.Event()

    def retrains(_job):
        begun.set()
        go_on.wait(20)
        return RunResult(0.01, b"retrained")

    worker = bench.worker(bench.honest, retrains=retrains)
    measuring = threading.Thread(target=bench.drain, args=[worker])
    measuring.start()
    assert begun.wait(20)
    evaluation, _, _ = bench.evaluation()
    with unit_of_work(bench.engine) as session:
        [locked] = evaluations.lock(session, [evaluation.id])
        evaluations.cancel(session, locked, "ada", datetime.now(UTC))
    go_on.set()
    measuring.join(20)
    wait_until(lambda: not measuring.is_alive())
    evaluation, _, runs = bench.evaluation()
    assert evaluation.verdict is Verdict.CANCELLED
    assert {run.cutoff_seconds for run in runs} == {None}
