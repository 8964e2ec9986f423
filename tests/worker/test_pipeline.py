"""The worker's loop on a real database, real storage and a real reference; only the sandbox is the fake."""

import shutil
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch
from sqlalchemy import select

from app import auth, evaluations, quota, registry, submissions
from app.db import make_engine, migrate, unit_of_work
from app.models import Evaluation, Run
from app.settings import Settings
from app.status import RunStatus, Status, Verdict
from app.storage import LocalStorage
from tests.bundles import zipped
from worker import weights
from worker.material import fetch
from worker.pipeline import Worker
from worker.prepare import prepare
from worker.sandbox.base import RunResult, SandboxFault
from worker.sandbox.fake import Fake, failing
from worker.sandbox.pool import Pool

TINY = Path(__file__).parents[1] / "fixtures/tiny"
DAY = timedelta(hours=24)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A data folder with the tiny competition prepared, copied for each test."""
    folder = tmp_path_factory.mktemp("prepared")
    settings = Settings(data_dir=folder)
    migrate(settings.url)
    prepare(
        TINY,
        settings=settings,
        engine=make_engine(settings.url),
        storage=LocalStorage(folder / "blobs"),
        now=datetime.now(UTC),
    )
    return folder


class Bench:
    """A database, a storage and one submission in the queue."""

    def __init__(self, folder):
        self.settings = Settings(data_dir=folder, lease_seconds=30.0, reap_seconds=0.0, poll_seconds=0.05)
        self.engine = make_engine(self.settings.url)
        self.storage = LocalStorage(folder / "blobs")
        upload = folder / "upload.zip"
        upload.write_bytes(zipped("def unlearning(net, retain, forget, validation): ...\n"))
        now = datetime.now(UTC)
        with unit_of_work(self.engine) as session:
            self.ada = auth.create_user(session, "ada", "correct horse", "participant", now)
            reference = registry.current_reference(
                session, registry.get_competition(session, "tiny"), "public"
            )
        self.material = fetch(self.storage, reference.digest, folder / "cache")
        self.submission_id = submissions.accept(
            self.engine,
            self.storage,
            user_id=self.ada.id,
            slug="tiny",
            upload=upload,
            note="",
            idempotency_key=None,
            now=now,
            queue_due=self.settings.queue_due,
        ).submission_id

    def worker(self, behaviour, clock=lambda: datetime.now(UTC)):
        self.pool = Pool(Fake(behaviour))
        return Worker(self.engine, self.storage, self.pool, self.settings, "worker-1", clock)

    def drain(self, worker):
        while worker.step():
            pass
        self.pool.close()

    def evaluation(self):
        with unit_of_work(self.engine) as session:
            found = session.scalars(select(Evaluation)).one()
            return found, found.score, list(found.runs)

    def honest(self, job):
        """The original's weights, moved a little differently for each seed."""
        generator = torch.Generator().manual_seed(job.seed)
        moved = {
            key: value + 0.05 * torch.randn(value.shape, generator=generator)
            if value.is_floating_point()
            else value
            for key, value in self.material.original().items()
        }
        moved = {key: value.abs() if "running_var" in key else value for key, value in moved.items()}
        return RunResult(0.01, weights.serialise(moved))


@pytest.fixture
def bench(prepared, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    return Bench(folder)


def test_all_seeds_run_once_and_end_in_one_score(bench):
    seen = []
    bench.drain(bench.worker(lambda job: (seen.append(job.seed), bench.honest(job))[1]))
    evaluation, score, runs = bench.evaluation()
    assert (evaluation.status, evaluation.verdict) == (Status.DONE, Verdict.SCORED)
    assert sorted(seen) == sorted(run.seed for run in runs)
    assert len(set(seen)) == evaluation.n_runs == 4
    assert score.score == pytest.approx(score.forgetting_quality * score.retain_ratio * score.test_ratio)
    assert len(score.report["seconds"]) == 4


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
    def behaviour(_job):
        raise SandboxFault("broken")

    bench.drain(bench.worker(behaviour))
    evaluation, _, _ = bench.evaluation()
    assert (evaluation.verdict, evaluation.reason) == (Verdict.STALLED, "sandbox_fault")
    with unit_of_work(bench.engine) as session:
        competition = registry.get_competition(session, "tiny")
        config = registry.config_of(competition)
        assert quota.remaining(session, bench.ada.id, competition, config, datetime.now(UTC)).used == 0


def test_a_cancel_kills_the_run_in_hand(bench):
    worker = bench.worker(lambda job: RunResult(60.0))
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


def test_a_worker_whose_lease_was_lost_records_nothing(bench):
    """Its run is reaped and run by another; the late result finds a stale fence."""
    now = datetime.now(UTC)
    with unit_of_work(bench.engine) as session:
        (stale,) = evaluations.claim(
            session, worker="paused", limit=1, now=now, lease=timedelta(seconds=1), queue_due=DAY
        )
    bench.drain(bench.worker(bench.honest, clock=lambda: now + timedelta(minutes=1)))
    with unit_of_work(bench.engine) as session:
        late = evaluations.RunOutcome(1.0, outputs_digest="0" * 64)
        recorded = evaluations.record(session, stale, late, now, timedelta(seconds=1), DAY)
        run = session.get(Run, stale.run_id)
    assert recorded is evaluations.Recorded.LOST
    assert run.outputs_digest != "0" * 64
    assert bench.evaluation()[0].verdict is Verdict.SCORED


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
