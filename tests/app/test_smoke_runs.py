"""Runs on public data: first in the queue, in nobody's count, and alone in having a log."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app import evaluations, registry, submissions
from app.db import read_only, unit_of_work
from app.evaluations import Recorded, RunOutcome
from app.models import Evaluation
from app.status import RunKind, RunStatus, Status, Verdict
from app.storage import LocalStorage
from tests.app.conftest import DAY, FAILURE, LEASE, NOW, SMOKED
from tests.bundles import zipped

GOOD = "def unlearning(net, retain_loader, forget_loader, val_loader): ...\n"


def test_a_smoke_run_is_claimed_before_the_seeds_of_its_evaluation(world, ada):
    _, later = world.submission(world.user("grace"), at=NOW + timedelta(seconds=1), smoke_seed=98)
    _, first = world.submission(ada, at=NOW, smoke_seed=99)
    claims = world.claim(limit=5)
    assert [(c.evaluation_id, c.kind, c.seed_index) for c in claims] == [
        (first, RunKind.SMOKE, -1),
        (first, RunKind.SEED, 0),
        (first, RunKind.SEED, 1),
        (first, RunKind.SEED, 2),
        (later, RunKind.SMOKE, -1),
    ]
    assert claims[0].seed == 99
    assert world.evaluation(first).n_runs == 3


def test_a_smoke_run_succeeds_without_outputs_and_its_log_is_kept(world, ada):
    _, evaluation = world.submission(ada, smoke_seed=9)
    (claim,) = world.claim()
    assert world.record(claim) is Recorded.RECORDED
    run = world.runs(evaluation)[0]
    assert (run.status, run.outputs_digest) == (RunStatus.SUCCEEDED, None)
    assert (run.log_digest, run.log_dropped_bytes) == (SMOKED.log.digest, SMOKED.log.dropped_bytes)


def test_outputs_leave_the_smoke_run_out_and_scoring_waits_for_it(world, ada):
    _, evaluation = world.submission(ada, smoke_seed=9)
    smoke, *seeds = world.claim(limit=4)
    for claim in seeds:
        assert world.record(claim) is Recorded.RECORDED
    assert world.evaluation(evaluation).status is Status.RUNNING
    assert world.record(smoke) is Recorded.LAST
    with read_only(world.engine) as session:
        assert [run.seed_index for run in evaluations.outputs(session, evaluation)] == [0, 1, 2]
        row = session.get_one(Evaluation, evaluation)
        assert [run.seed_index for run in row.seed_runs] == [0, 1, 2]
        assert row.smoke_run.seed_index == -1


def test_a_smoke_run_that_fails_ends_the_evaluation_and_keeps_its_log(world, ada):
    submission, evaluation = world.submission(ada, smoke_seed=9)
    (claim,) = world.claim()
    assert world.record(claim, replace(FAILURE, log=SMOKED.log)) is Recorded.ENDED
    row = world.evaluation(evaluation)
    assert (row.verdict, row.reason) == (Verdict.TIMED_OUT, "over_cutoff")
    assert world.statuses(evaluation) == [RunStatus.FAILED, *[RunStatus.SKIPPED] * 3]
    assert world.runs(evaluation)[0].log_digest == SMOKED.log.digest
    assert world.refunds(submission) == 0


def test_a_run_on_hidden_data_can_have_no_log_and_a_smoke_run_must_have_one(world, ada):
    _, evaluation = world.submission(ada, smoke_seed=9)
    smoke, seed = world.claim(limit=2)
    for claim, outcome in (
        (seed, SMOKED),
        (seed, replace(FAILURE, log=SMOKED.log)),
        (smoke, RunOutcome(1.0, "d" * 64)),
    ):
        with pytest.raises(ValueError, match="a smoke run has a log"):
            world.record(claim, outcome)
    assert {run.log_digest for run in world.runs(evaluation)} == {None}


def test_a_lost_smoke_run_is_run_again_like_any_other(world, ada):
    _, evaluation = world.submission(ada, smoke_seed=9)
    (claim,) = world.claim()
    with unit_of_work(world.engine) as session:
        assert evaluations.give_back(session, claim, "worker_lost", NOW)
    (again,) = world.claim()
    assert (again.run_id, again.fence) == (claim.run_id, 2)
    assert "smoke run" in again.label
    assert world.runs(evaluation)[0].losses == 1


def printed(world, evaluation):
    with read_only(world.engine) as session:
        return session.get_one(Evaluation, evaluation).smoke_run.printed


def show(world, claim, text):
    with unit_of_work(world.engine) as session:
        return evaluations.show_printed(session, claim, text)


def test_what_is_printed_is_shown_by_whom_the_run_is_lent_to_alone_and_each_try_begins_anew(world, ada):
    _, evaluation = world.submission(ada, smoke_seed=9)
    (stale,) = world.claim(worker="w1")
    assert show(world, stale, "by w1")
    assert world.reap(NOW + LEASE)
    assert printed(world, evaluation) == "by w1"
    (claim,) = world.claim(worker="w2")
    assert printed(world, evaluation) is None
    assert show(world, claim, "by w2")
    assert not show(world, stale, "by w1, which was paused")
    assert printed(world, evaluation) == "by w2"
    world.record(claim)
    assert not show(world, claim, "too late")
    assert printed(world, evaluation) is None


def test_nothing_that_a_run_on_hidden_data_prints_may_be_shown(world, ada):
    world.submission(ada)
    (seed,) = world.claim()
    with pytest.raises(ValueError, match="only what a smoke run prints"):
        show(world, seed, "a hidden image")


def with_public_data(world, slug):
    """Prepare the public split anew, with data for smoke runs."""
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, slug)
        digest = f"{slug}-smoke".ljust(64, "0")
        registry.add_reference(session, competition, "public", digest, 3, 10.0, {}, NOW, smoke=True)


def kinds(world, evaluation):
    return [run.kind for run in world.runs(evaluation)]


def test_submissions_and_reruns_on_a_split_with_public_data_begin_with_a_smoke_run(
    world, ada, admin, tmp_path
):
    upload = tmp_path / "upload.zip"
    upload.write_bytes(zipped(GOOD))
    with_public_data(world, "digits")
    given = {"note": "", "idempotency_key": None, "now": NOW, "queue_due": DAY}
    accepted = submissions.accept(
        world.engine, LocalStorage(tmp_path), user_id=ada.id, slug="digits", upload=upload, **given
    )
    first = world.evaluation_of(accepted.submission_id)
    assert kinds(world, first) == [RunKind.SMOKE, *[RunKind.SEED] * 3]
    assert len({run.seed for run in world.runs(first)}) == 4
    with unit_of_work(world.engine) as session:
        private = submissions.rerun(session, accepted.submission_id, "private", admin, NOW, queue_due=DAY).id
    assert kinds(world, private) == [RunKind.SEED] * 3
    for claim in world.claim(limit=7):
        world.record(claim)
    assert world.finish(world.scoring_claim(first))
    with unit_of_work(world.engine) as session:
        again = submissions.rerun(session, accepted.submission_id, "public", admin, NOW, queue_due=DAY).id
    assert kinds(world, again) == [RunKind.SMOKE, *[RunKind.SEED] * 3]
