"""The worker's loop on a real database, real storage and a real reference; only the sandbox is the fake."""

import shutil
import threading
from datetime import UTC, datetime, timedelta

import pytest
import torch
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError

from app import evaluations, quota, registry, submissions
from app.db import unit_of_work
from app.models import Evaluation, Run, Submission
from app.status import RunStatus, Status, Verdict
from app.storage import LocalStorage, StorageAway
from tests.bundles import zipped
from tests.lending import lend
from tests.processes import wait_until
from tests.worker.bench import Patience, at_length, broken
from worker import weights
from worker.device import Device
from worker.pipeline import Step
from worker.sandbox.base import RunResult, SandboxFault, SandboxUnavailable
from worker.sandbox.fake import failing

DAY = timedelta(hours=24)


def test_all_seeds_run_once_and_end_in_one_score(bench):
    seen = []
    bench.drain(bench.worker(lambda job: (seen.append(job.seed), bench.honest(job))[1]))
    evaluation, score, runs = bench.evaluation()
    assert (evaluation.status, evaluation.verdict) == (Status.DONE, Verdict.SCORED)
    assert sorted(seen) == sorted(run.seed for run in runs)
    assert len(set(seen)) == evaluation.n_runs == 4
    assert score.score == pytest.approx(score.forgetting_quality * score.retain_ratio * score.test_ratio)
    assert len(score.report["time"]["seconds"]) == 4
    assert score.report["time"]["cutoff"] == {run.cutoff_seconds for run in runs}.pop() == 5.0
    assert score.report["distribution"]["classifier_accuracy"] is not None
    assert set(score.report["utility"]) >= {"retain", "test", "forget"}
    assert (score.calibrated_score, score.interval_low, score.replicates) == (None, None, {})


def test_a_bundle_that_does_nothing_is_flagged_on_every_run(bench):
    bench.drain(bench.worker(lambda _job: RunResult(0.01, weights.serialise(bench.material.original()))))
    _, score, _ = bench.evaluation()
    assert {"too_alike", "same_as_original"} <= set(score.flags)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda state: state["fc.bias"].fill_(float("nan")), "not_finite_weights"),
        (lambda state: state.pop("fc.bias"), "wrong_keys"),
        (lambda state: state.update({"fc.bias": torch.zeros(99)}), "wrong_shapes"),
        (lambda state: state["bn1.running_var"].fill_(-1.0), "not_finite_logits"),
    ],
)
def test_weights_that_cannot_be_graded_end_the_evaluation(bench, damage, reason):
    def behaviour(_job):
        state = {key: value.clone() for key, value in bench.material.original().items()}
        damage(state)
        return RunResult(0.01, weights.serialise(state))

    bench.drain(bench.worker(behaviour))
    evaluation, score, runs = bench.evaluation()
    assert (evaluation.verdict, evaluation.reason, score) == (Verdict.INVALID_OUTPUT, reason, None)
    assert [run.status for run in runs].count(RunStatus.SKIPPED) == 3


def test_a_participants_failure_is_never_retried(bench):
    calls = []
    bench.drain(bench.worker(lambda job: (calls.append(job), failing("raised")(job))[1]))
    evaluation, _, _ = bench.evaluation()
    assert (evaluation.verdict, evaluation.reason) == (Verdict.CRASHED, "raised")
    assert len(calls) == 1


def test_a_sandbox_fault_is_retried_and_never_blamed(bench):
    faults = iter([SandboxFault("first"), SandboxFault("second")])

    def behaviour(job):
        fault = next(faults, None)
        if fault is not None:
            raise fault
        return bench.honest(job)

    bench.drain(bench.worker(behaviour))
    evaluation, _, _ = bench.evaluation()
    assert evaluation.verdict is Verdict.SCORED


def test_three_faults_of_ours_stall_the_submission_and_refund_it(bench):
    bench.drain(bench.worker(broken))
    evaluation, _, _ = bench.evaluation()
    assert (evaluation.verdict, evaluation.reason) == (Verdict.STALLED, "sandbox_fault")
    with unit_of_work(bench.engine) as session:
        competition = registry.get_competition(session, "tiny")
        config = registry.config_of(competition)
        assert quota.remaining(session, bench.ada.id, competition, config, datetime.now(UTC)).used == 0


def test_a_store_that_is_away_costs_a_run_nothing_however_long(bench, monkeypatch):
    away = iter([True] * 5)
    get = LocalStorage.get

    def flaky(self, digest):
        if next(away, False):
            raise StorageAway("the object store failed: connection refused")
        return get(self, digest)

    monkeypatch.setattr(LocalStorage, "get", flaky)
    monkeypatch.setattr(Device, "storage_works", lambda *_: False)
    worker = bench.worker(bench.honest)
    steps = [worker.step()]
    while steps[-1] is not Step.IDLE:
        steps.append(worker.step())
    bench.pool.close()
    evaluation, _, runs = bench.evaluation()
    assert steps.count(Step.FAULT) == 5
    assert evaluation.verdict is Verdict.SCORED
    assert {run.losses for run in runs} == {0}


def test_a_store_that_is_away_while_an_evaluation_is_scored_costs_it_nothing_either(bench, monkeypatch):
    away = iter([True] * 5)
    score = Device.score

    def flaky(*arguments):
        if next(away, False):
            raise StorageAway("the object store failed: connection refused")
        return score(*arguments)

    monkeypatch.setattr(Device, "score", flaky)
    monkeypatch.setattr(Device, "storage_works", lambda *_: False)
    patience = Patience(40)
    late = iter(range(0, 10**6, 60))  # each look at the clock is a lease later
    clock = lambda: datetime.now(UTC) + timedelta(seconds=next(late))  # noqa: E731
    patience.worker = bench.worker(bench.honest, wait=patience, clock=clock)
    patience.worker.run_forever()
    bench.pool.close()
    evaluation, _, _ = bench.evaluation()
    assert (evaluation.verdict, evaluation.losses) == (Verdict.SCORED, 0)
    assert patience.seconds.count(1.0) >= 1


def test_an_empty_mount_point_in_the_place_of_the_blobs_costs_nobody_a_loss(bench):
    blobs = bench.settings.data_dir / "blobs"
    worker = bench.worker(bench.honest)
    worker.step()  # calibrates
    blobs.rename(blobs.with_name("elsewhere"))
    blobs.mkdir()
    assert [worker.step() for _ in range(5)] == [Step.FAULT] * 5
    shutil.rmtree(blobs)
    blobs.with_name("elsewhere").rename(blobs)
    bench.drain(worker)
    evaluation, _, runs = bench.evaluation()
    assert evaluation.verdict is Verdict.SCORED
    assert {run.losses for run in runs} == {0}


def test_a_bundle_that_cannot_be_read_ends_as_stalled_and_others_go_on(bench, monkeypatch):
    get = LocalStorage.get
    with unit_of_work(bench.engine) as session:
        lost = session.get_one(Submission, bench.submission_id).bundle_digest

    def refusing(self, digest):
        if digest == lost:
            raise StorageAway("403")
        return get(self, digest)

    bench.upload.write_bytes(zipped("def unlearning(net, retain, forget, validation): pass\n"))
    other = bench.submit()
    monkeypatch.setattr(LocalStorage, "get", refusing)
    bench.drain(bench.worker(bench.honest))
    with unit_of_work(bench.engine) as session:
        verdicts = dict(session.execute(select(Evaluation.submission_id, Evaluation.verdict)).all())
    assert verdicts == {bench.submission_id: Verdict.STALLED, other: Verdict.SCORED}


def test_after_each_fault_in_a_row_a_worker_waits_longer_and_a_success_starts_that_over(bench):
    faults = iter([True, True, False, True])
    patience = Patience(6)
    patience.worker = bench.worker(
        lambda job: broken(job) if next(faults, False) else bench.honest(job), wait=patience
    )
    patience.worker.run_forever()
    bench.pool.close()
    assert patience.seconds == [0, 1, 2, 0, 1, 0]  # the first turn calibrates


def test_a_sick_worker_takes_no_work_until_its_sandboxes_work_again(bench):
    def probe():
        raise SandboxUnavailable("bwrap is gone")

    patience = Patience(9)
    patience.worker = bench.worker(broken, wait=patience, probe=probe)
    patience.worker.run_forever()
    bench.pool.close()
    assert patience.seconds == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    _, _, runs = bench.evaluation()
    assert sum(run.losses for run in runs) == 1
    assert {run.status for run in runs} == {RunStatus.QUEUED}


def test_while_a_sick_worker_waits_a_healthy_one_serves_its_run(bench):
    def wait(seconds):
        if seconds:  # not after the turn that calibrates
            bench.drain(healthy)
            sick.stop()

    sick = bench.worker(broken, "sick", wait=wait)
    sick_pool = bench.pool
    healthy = bench.worker(bench.honest, "healthy")
    sick.run_forever()
    sick_pool.close()
    evaluation, _, runs = bench.evaluation()
    assert evaluation.verdict is Verdict.SCORED
    assert sum(run.losses for run in runs) == 1


@pytest.mark.parametrize("ending", [broken, failing("died")])
def test_nothing_that_ends_while_a_worker_is_stopped_counts_against_anybody(bench, ending):
    worker = bench.worker(lambda job: (worker.stop(), ending(job))[1])
    worker.run_forever()
    bench.pool.close()
    _, _, runs = bench.evaluation()
    assert {(run.status, run.losses, run.verdict) for run in runs} == {(RunStatus.QUEUED, 0, None)}


def test_an_error_in_our_own_sql_is_told_with_its_traceback_and_waited_after(bench, caplog):
    def step():
        raise ProgrammingError("SELECT runz", {}, Exception("no such column"))

    patience = Patience(2)
    patience.worker = bench.worker(bench.honest, wait=patience)
    patience.worker.step = step
    patience.worker.run_forever()
    bench.pool.close()
    assert patience.seconds == [1, 2]
    assert "Traceback" in caplog.text


FAILS_WHEN = """
def raises(error, limit):
    def check(model, _images):
        if int(model.bn1.num_batches_tracked) >= limit:
            raise error

    plain = build_model
    def build():
        model = plain()
        model.register_forward_pre_hook(check)
        return model
    return build
"""
LARGE = 10**6
"""A count of batches that no original has: it stands for an index that is out of range."""


def fails(bench, error, limit):
    """Make the fetched architecture raise `error` for weights whose counter is at least `limit`."""
    model = bench.material.sandbox / "model.py"
    model.write_text(f"{model.read_text()}\n{FAILS_WHEN}\nbuild_model = raises({error}, {limit})\n")

    def behaviour(_job):
        state = {key: value.clone() for key, value in bench.material.original().items()}
        state["bn1.num_batches_tracked"].fill_(LARGE)
        return RunResult(0.01, weights.serialise(state))

    return behaviour


@pytest.mark.parametrize(
    "error", ["IndexError('index 1000000')", "RuntimeError('device-side')", "ValueError()"]
)
def test_weights_that_make_the_model_raise_end_the_evaluation(bench, error):
    bench.drain(bench.worker(fails(bench, error, LARGE)))
    evaluation, _, _ = bench.evaluation()
    assert (evaluation.verdict, evaluation.reason) == (Verdict.INVALID_OUTPUT, "model_failed")


@pytest.mark.parametrize(
    ("error", "limit"),
    [
        ("MemoryError()", LARGE),
        ("torch.OutOfMemoryError('no memory')", LARGE),
        ("RuntimeError('DefaultCPUAllocator: no memory')", LARGE),
        ("RuntimeError('whatever the weights')", 0),
    ],
)
def test_a_lack_of_memory_or_a_model_that_never_runs_is_ours(bench, error, limit):
    bench.drain(bench.worker(fails(bench, error, limit)))
    evaluation, _, _ = bench.evaluation()
    assert (evaluation.verdict, evaluation.reason) == (Verdict.STALLED, "sandbox_fault")


def test_a_cancel_kills_the_run_in_hand(bench):
    worker = bench.worker(lambda _job: RunResult(60.0), retrains=at_length)
    worker.step()  # calibrates
    started = threading.Thread(target=worker.step)
    started.start()
    wait_until(lambda: bench.evaluation()[0].status is Status.RUNNING)
    with unit_of_work(bench.engine) as session:
        submissions.cancel(session, bench.submission_id, session.merge(bench.ada), datetime.now(UTC))
    started.join(20)
    bench.pool.close()
    evaluation, _, runs = bench.evaluation()
    assert (evaluation.verdict, evaluation.reason) == (Verdict.CANCELLED, "cancelled_on_request")
    assert {run.status for run in runs} == {RunStatus.SKIPPED}


def test_a_stopping_worker_gives_its_run_back_without_a_loss(bench):
    worker = bench.worker(lambda job: RunResult(60.0))
    started = threading.Thread(target=worker.run_forever)
    started.start()
    wait_until(lambda: bench.evaluation()[0].status is Status.RUNNING)
    worker.stop()
    started.join(20)
    bench.pool.close()
    _, _, runs = bench.evaluation()
    assert {(run.status, run.losses) for run in runs} == {(RunStatus.QUEUED, 0)}


def test_a_scorer_that_died_is_replaced(bench):
    now = datetime.now(UTC)
    worker = bench.worker(bench.honest)
    worker._score = lambda _evaluation_id: None  # dies before it scores
    bench.drain(worker)
    assert bench.evaluation()[0].status is Status.SCORING
    later = bench.worker(bench.honest, clock=lambda: now + timedelta(minutes=10))
    bench.drain(later)
    evaluation, score, _ = bench.evaluation()
    assert evaluation.verdict is Verdict.SCORED
    assert score is not None


def test_a_slow_scorer_keeps_its_claim(bench):
    bench.settings = bench.settings.model_copy(update={"lease_seconds": 6.0})
    worker = bench.worker(bench.honest)
    score, go_on = bench.device.score, threading.Event()
    bench.device.score = lambda *given: (go_on.wait(60), score(*given))[1]
    scoring = threading.Thread(target=bench.drain, args=[worker])
    scoring.start()
    wait_until(lambda: bench.evaluation()[0].fence == 1)
    first_due = bench.evaluation()[0].due_at
    wait_until(lambda: datetime.now(UTC) > first_due)
    with unit_of_work(bench.engine) as session:
        assert evaluations.scoring_claim(session, None, datetime.now(UTC), DAY) is None
    go_on.set()
    scoring.join(20)
    evaluation, _, _ = bench.evaluation()
    assert (evaluation.verdict, evaluation.fence, evaluation.losses) == (Verdict.SCORED, 1, 0)


def test_a_result_that_comes_after_the_lease_was_lost_is_dropped_and_logged(bench, caplog):
    late = []

    def behaviour(job):
        if not late:
            late.append(job)
            with unit_of_work(bench.engine) as session:
                evaluations.reap(session, datetime.now(UTC) + timedelta(hours=1), DAY)
        return bench.honest(job)

    bench.drain(bench.worker(behaviour))
    _, _, runs = bench.evaluation()
    assert sorted((run.status, run.losses) for run in runs) == [(RunStatus.SUCCEEDED, 0)] * 3 + [
        (RunStatus.SUCCEEDED, 1)
    ]
    assert "no longer ours: its result is dropped" in caplog.text


def test_progress_is_due_within_the_hours_of_the_settings(bench):
    now = datetime.now(UTC)
    bench.settings = bench.settings.model_copy(update={"queue_due_hours": 1.0})
    worker = bench.worker(bench.honest, clock=lambda: now)
    worker.step()  # calibrates
    worker.step()
    bench.pool.close()
    assert bench.evaluation()[0].due_at == now + timedelta(hours=1)


def test_a_worker_whose_lease_was_lost_records_nothing(bench):
    """Its run is reaped and run by another; the late result finds a stale fence."""
    now = datetime.now(UTC)
    with unit_of_work(bench.engine) as session:
        (stale,) = lend(session, worker="paused", limit=1, now=now, lease=timedelta(seconds=1), queue_due=DAY)
    bench.drain(bench.worker(bench.honest, clock=lambda: now + timedelta(minutes=1)))
    with unit_of_work(bench.engine) as session:
        late = evaluations.RunOutcome(1.0, outputs_digest="0" * 64)
        recorded = evaluations.record(session, stale, late, now, timedelta(seconds=1), DAY)
        run = session.get(Run, stale.run_id)
    assert recorded is evaluations.Recorded.LOST
    assert run.outputs_digest != "0" * 64
    assert bench.evaluation()[0].verdict is Verdict.SCORED
