"""The state machine of runs and evaluations, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app import evaluations
from app.db import read_only, unit_of_work
from app.evaluations import FinishedRun, Recorded, RunLog, RunOutcome
from app.status import RunStatus, Status, Verdict
from tests.app.conftest import ALL_SKIPPED, DAY, FAILURE, LEASE, NOW

LATER = NOW + LEASE


def test_runs_are_claimed_oldest_first_and_carry_all_that_a_worker_needs(world, ada):
    _, second = world.submission(world.user("grace"), at=NOW + timedelta(seconds=1))
    _, first = world.submission(ada, at=NOW)
    claims = world.claim(limit=4)
    assert [(c.evaluation_id, c.seed_index) for c in claims] == [
        (first, 0),
        (first, 1),
        (first, 2),
        (second, 0),
    ]
    claim = claims[1]
    assert claim.competition_slug == "digits"
    assert (claim.seed, claim.fence, claim.cutoff_seconds, claim.worker) == (1, 1, 2.0, "w1")
    assert (claim.bundle_digest, claim.reference_digest) == ("b" * 64, "digits-public".ljust(64, "0"))


def test_the_first_claim_starts_the_evaluation_and_writes_events(world, ada):
    _, evaluation = world.submission(ada)
    world.claim()
    row = world.evaluation(evaluation)
    assert (row.status, row.started_at, row.due_at) == (Status.RUNNING, NOW, NOW + DAY)
    assert world.runs(evaluation)[0].lease_until == LATER
    assert world.events()[-3:] == ["evaluation.queued", "evaluation.running", "run.running"]


def test_claiming_an_empty_queue_gives_nothing(world):
    assert world.claim(limit=5) == []


def test_workers_that_claim_at_once_never_share_a_run(world, ada):
    for second in range(4):
        world.submission(ada, runs=6, at=NOW + timedelta(seconds=second), paid=False)
    together = Barrier(4)

    def work(name):
        together.wait()
        mine = []
        while claims := world.claim(limit=2, worker=name):
            mine += [claim.run_id for claim in claims]
        return mine

    with ThreadPoolExecutor(4) as pool:
        taken = [run for mine in pool.map(work, "abcd") for run in mine]
    assert len(taken) == 24
    assert len(set(taken)) == 24


def test_a_recorded_run_pushes_the_due_time_and_leaves_the_rest_running(world, ada):
    _, evaluation = world.submission(ada)
    first, *_ = world.claim(limit=3)
    assert world.record(first, at=NOW + timedelta(seconds=9)) is Recorded.RECORDED
    run = world.runs(evaluation)[0]
    assert (run.status, run.seconds, run.outputs_digest) == (RunStatus.SUCCEEDED, 1.5, "0" * 64)
    assert world.evaluation(evaluation).due_at == NOW + timedelta(seconds=9) + DAY


def test_a_run_cannot_be_recorded_twice(world, ada):
    world.submission(ada)
    (claim,) = world.claim()
    assert world.record(claim) is Recorded.RECORDED
    assert world.record(claim, FAILURE) is Recorded.LOST


def test_the_last_record_moves_to_scoring_exactly_once_under_concurrency(world, ada):
    _, evaluation = world.submission(ada, runs=8)
    claims = world.claim(limit=8)
    together = Barrier(8)

    def finish(claim):
        together.wait()
        return world.record(claim)

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(finish, claims))
    assert answers == [Recorded.LAST] + [Recorded.RECORDED] * 7
    assert world.evaluation(evaluation).status is Status.SCORING
    assert world.events("evaluation.scoring") == 1


def test_the_first_failure_ends_the_evaluation_and_skips_the_rest(world, ada):
    submission, evaluation = world.submission(ada)
    good, bad = world.claim(limit=2)
    world.record(good)
    assert world.record(bad, FAILURE) is Recorded.ENDED
    row = world.evaluation(evaluation)
    assert (row.status, row.verdict, row.reason) == (Status.DONE, Verdict.TIMED_OUT, "over_cutoff")
    assert (row.due_at, row.finished_at) == (None, NOW)
    assert world.statuses(evaluation) == [RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.SKIPPED]
    assert world.refunds(submission) == 0
    assert world.claim() == []


def test_a_failure_takes_the_other_workers_runs_from_them(world, ada):
    world.submission(ada)
    mine, theirs = world.claim(limit=2)
    world.record(mine, FAILURE)
    with unit_of_work(world.engine) as session:
        assert evaluations.heartbeat(session, [theirs], NOW, LEASE) == set()
    assert world.record(theirs) is Recorded.LOST


def test_a_failure_beside_a_claim_on_the_same_evaluation_never_deadlocks(world, ada):
    for second in range(6):
        at = NOW + timedelta(seconds=second)
        _, evaluation = world.submission(ada, runs=6, at=at, paid=False)
        (claim,) = world.claim(at=at)
        together = Barrier(3)

        def fail(claim=claim, together=together):
            together.wait()
            return world.record(claim, FAILURE)

        def take(together=together):
            together.wait()
            return world.claim(limit=6, worker="w2")

        with ThreadPoolExecutor(3) as pool:
            failed, *_ = [job.result() for job in (pool.submit(fail), pool.submit(take), pool.submit(take))]
        assert failed is Recorded.ENDED
        assert set(world.statuses(evaluation)) == {RunStatus.FAILED, RunStatus.SKIPPED}


def test_a_heartbeat_extends_the_leases_that_are_still_ours(world, ada):
    _, evaluation = world.submission(ada)
    mine, lost = world.claim(limit=2)
    with unit_of_work(world.engine) as session:
        evaluations.give_back(session, lost, "sandbox_fault", NOW)
    with unit_of_work(world.engine) as session:
        wanted = evaluations.heartbeat(session, [mine, lost], NOW + timedelta(seconds=5), LEASE)
    assert wanted == {mine.run_id}
    assert world.runs(evaluation)[0].lease_until == LATER + timedelta(seconds=5)


def test_an_expired_lease_is_reaped_and_the_run_is_run_again_under_a_new_fence(world, ada):
    _, evaluation = world.submission(ada)
    (old,) = world.claim()
    assert world.reap(LATER - timedelta(seconds=1)) == 0
    assert world.reap(LATER) == 1
    new = world.claim(worker="w2", at=LATER)[0]
    assert (new.run_id, new.fence) == (old.run_id, 2)
    assert world.runs(evaluation)[0].losses == 1


def test_a_stale_fence_records_nothing(world, ada):
    _, evaluation = world.submission(ada)
    (old,) = world.claim()
    world.reap(LATER)
    world.claim(worker="w2", at=LATER)
    before = world.events()
    assert world.record(old, FAILURE, at=LATER) is Recorded.LOST
    with unit_of_work(world.engine) as session:
        assert not evaluations.give_back(session, old, "worker_lost", LATER)
        assert evaluations.heartbeat(session, [old], LATER, LEASE) == set()
    run = world.runs(evaluation)[0]
    assert (run.status, run.worker, run.verdict) == (RunStatus.RUNNING, "w2", None)
    assert world.events() == before


def test_a_late_worker_may_still_record_as_long_as_nobody_reaped_its_run(world, ada):
    world.submission(ada)
    (claim,) = world.claim()
    assert world.record(claim, at=LATER + LEASE) is Recorded.RECORDED


def test_finished_runs_are_not_run_again_after_a_loss(world, ada):
    _, evaluation = world.submission(ada)
    done, _ = world.claim(limit=2)
    world.record(done)
    world.reap(LATER)
    indices = {claim.seed_index for claim in world.claim(limit=9, worker="w2", at=LATER)}
    assert indices == {1, 2}
    assert world.statuses(evaluation)[0] is RunStatus.SUCCEEDED


@pytest.mark.parametrize("reason", ["worker_lost", "sandbox_fault"])
def test_the_third_loss_stalls_the_evaluation_and_refunds_it_once(world, ada, reason):
    submission, evaluation = world.submission(ada)
    for loss in range(3):
        assert world.evaluation(evaluation).status is not Status.DONE, loss
        (claim,) = world.claim()
        with unit_of_work(world.engine) as session:
            assert evaluations.give_back(session, claim, reason, NOW)
    row = world.evaluation(evaluation)
    assert (row.verdict, row.reason) == (Verdict.STALLED, reason)
    assert world.statuses(evaluation) == ALL_SKIPPED
    assert world.refunds(submission) == 1


def test_three_reaped_leases_stall_the_evaluation(world, ada):
    submission, evaluation = world.submission(ada)
    for attempt in range(3):
        at = NOW + attempt * LEASE
        world.claim(at=at)
        world.reap(at + LEASE)
    assert world.evaluation(evaluation).reason == "worker_lost"
    assert world.refunds(submission) == 1


def test_a_drained_worker_gives_back_without_a_loss(world, ada):
    _, evaluation = world.submission(ada)
    for _ in range(5):
        (claim,) = world.claim()
        with unit_of_work(world.engine) as session:
            assert evaluations.give_back(session, claim, "worker_lost", NOW, count_loss=False)
    run = world.runs(evaluation)[0]
    assert (run.status, run.losses, run.fence) == (RunStatus.QUEUED, 0, 5)


def test_two_reapers_at_once_count_a_loss_once(world, ada):
    _, evaluation = world.submission(ada)
    world.claim(limit=3)
    together = Barrier(2)

    def reap(_):
        together.wait()
        return world.reap(LATER)

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(reap, range(2))) == 3
    assert [run.losses for run in world.runs(evaluation)] == [1, 1, 1]


@pytest.mark.parametrize("started", [False, True])
def test_what_makes_no_progress_until_it_is_due_ends_as_stalled(world, ada, started):
    submission, evaluation = world.submission(ada)
    if started:
        (claim,) = world.claim()
        world.record(claim)
    assert world.reap(NOW + DAY - timedelta(seconds=1)) == 0
    assert world.reap(NOW + DAY) == 1
    row = world.evaluation(evaluation)
    assert (row.verdict, row.reason) == (Verdict.STALLED, "overdue")
    assert world.refunds(submission) == 1


def test_an_outcome_is_either_outputs_or_a_failure():
    both = {"outputs_digest": "d", "log": RunLog("f")}
    for wrong in ({}, {"outputs_digest": "d", "reason": "raised"}, {"verdict": Verdict.CRASHED}, both):
        with pytest.raises(ValueError, match="either"):
            RunOutcome(1.0, **wrong)


def test_outputs_are_those_of_the_succeeded_runs_by_seed(world, ada):
    _, evaluation = world.submission(ada)
    claims = world.claim(limit=3)
    for claim in reversed(claims[:2]):
        world.record(claim)
    with read_only(world.engine) as session:
        rows = evaluations.outputs(session, evaluation)
    assert rows == [FinishedRun(0, "0" * 64, 1.5, 2.0), FinishedRun(1, "1".rjust(64, "0"), 1.5, 2.0)]


def test_fresh_seeds_are_distinct_and_fit_a_column():
    seeds = evaluations.fresh_seeds(1000)
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**31 for seed in seeds)
