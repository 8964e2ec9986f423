"""A smoke run's way through the worker, on a real reference with public data; only the sandbox is the fake."""

import shutil
import threading

import pytest
import torch

from app import evaluations
from app.status import RunKind, RunStatus, Verdict
from tests.smoky import make_smoky
from tests.worker.bench import Bench, prepare_into
from worker import weights
from worker.device import LOG_BYTES
from worker.sandbox.base import Log, RunResult, SandboxFault
from worker.sandbox.fake import failing


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = make_smoky(tmp_path_factory.mktemp("smoky"))
    return prepare_into(tmp_path_factory.mktemp("prepared"), folder)


@pytest.fixture
def bench(prepared, tmp_path):
    return Bench(shutil.copytree(prepared, tmp_path / "data"))


def speaking(bench, job, seen=None):
    """An honest run that prints; a job on hidden data has nowhere to print to."""
    if seen is not None:
        seen.append(job.log_bytes)
    honest = bench.honest(job)
    return RunResult(honest.seconds, honest.output, log=Log(b"epoch 1\n", 3))


def smoke_run(bench):
    return bench.evaluation()[2][0]


def test_the_smoke_run_goes_first_alone_keeps_a_log_and_counts_nowhere(bench):
    seen = []
    bench.drain(bench.worker(lambda job: speaking(bench, job, seen)))
    evaluation, score, runs = bench.evaluation()
    assert seen == [LOG_BYTES, 0, 0, 0, 0]
    assert (evaluation.verdict, evaluation.n_runs) == (Verdict.SCORED, 4)
    assert len(score.report["time"]["seconds"]) == 4
    assert [run.kind for run in runs] == [RunKind.SMOKE, *[RunKind.SEED] * 4]
    assert [run.log_digest is None for run in runs] == [False, True, True, True, True]
    assert bench.storage.get(runs[0].log_digest) == b"epoch 1\n"
    assert (runs[0].log_dropped_bytes, runs[0].outputs_digest) == (3, None)


def test_a_smoke_run_sees_the_public_folder_and_the_others_the_hidden_one(bench):
    asked = []
    worker = bench.worker(bench.honest)
    take = bench.pool.take
    bench.pool.take = lambda spec: (asked.append(spec.material.name), take(spec))[1]
    bench.drain(worker)
    calibrating = asked.index("smoke")
    assert asked == ["sandbox"] * calibrating + ["smoke", *["sandbox"] * 4]


def test_a_smoke_run_that_fails_ends_the_evaluation_with_its_log(bench):
    ended = failing("raised")

    def behaviour(job):
        result = ended(job)
        return RunResult(0.1, b"", result.verdict, result.reason, Log(b"ZeroDivisionError"))

    bench.drain(bench.worker(behaviour))
    evaluation, score, runs = bench.evaluation()
    assert (evaluation.verdict, evaluation.reason, score) == (Verdict.CRASHED, "raised", None)
    assert [run.status for run in runs] == [RunStatus.FAILED, *[RunStatus.SKIPPED] * 4]
    assert bench.storage.get(smoke_run(bench).log_digest) == b"ZeroDivisionError"


def test_weights_of_a_smoke_run_are_judged_by_their_form(bench):
    def behaviour(_job):
        state = bench.material.original() | {"fc.bias": torch.zeros(99)}
        return RunResult(0.1, weights.serialise(state), log=Log(b"said"))

    bench.drain(bench.worker(behaviour))
    evaluation, _, runs = bench.evaluation()
    assert (evaluation.verdict, evaluation.reason) == (Verdict.INVALID_OUTPUT, "wrong_shapes")
    assert bench.storage.get(runs[0].log_digest) == b"said"


def test_a_smoke_run_measures_nothing_on_hidden_data(bench):
    worker = bench.worker(bench.honest)
    bench.device._judge = lambda *_: pytest.fail("hidden data was touched")
    while smoke_run(bench).status is RunStatus.QUEUED:  # a device is calibrated first
        worker.step()
    bench.pool.close()
    assert smoke_run(bench).status is RunStatus.SUCCEEDED
    assert bench.storage.get(smoke_run(bench).log_digest) == b""


def test_a_fault_of_ours_in_a_smoke_run_is_retried(bench):
    faults = iter([SandboxFault("first")])

    def behaviour(job):
        fault = next(faults, None)
        if fault is not None:
            raise fault
        return speaking(bench, job)

    bench.drain(bench.worker(behaviour))
    assert bench.evaluation()[0].verdict is Verdict.SCORED
    assert smoke_run(bench).losses == 1


def test_what_a_smoke_run_prints_is_shown_by_its_heartbeats_before_it_ends(bench, monkeypatch):
    seen, beats = [], threading.Semaphore(0)
    show, beat = evaluations.show_printed, evaluations.heartbeat

    def shown(session, claim, text):
        seen.append((claim.kind, text))
        return show(session, claim, text)

    def beating(*words):
        beats.release()
        return beat(*words)

    monkeypatch.setattr(evaluations, "show_printed", shown)
    monkeypatch.setattr(evaluations, "heartbeat", beating)
    bench.settings = bench.settings.model_copy(update={"lease_seconds": 1.0})

    def behaviour(job):
        said = speaking(bench, job)
        if job.log_bytes:
            job.printed(said.log)
            for _ in range(4):  # of which the later ones have nothing new to show
                assert beats.acquire(timeout=60)
            assert seen == [(RunKind.SMOKE, "epoch 1\n")]
        return said

    bench.drain(bench.worker(behaviour))
    assert seen == [(RunKind.SMOKE, "epoch 1\n")]
    assert bench.evaluation()[0].verdict is Verdict.SCORED
