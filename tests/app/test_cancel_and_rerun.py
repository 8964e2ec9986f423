"""What people decide about a submission: cancel, rerun, and which evaluation is shown."""

import pytest

from app import evaluations, submissions
from app.db import read_only, unit_of_work
from app.errors import Conflict, Forbidden, NotFound, NotPrepared
from app.evaluations import Recorded
from app.models import Submission
from app.status import RunStatus, Status, Verdict
from tests.app.conftest import ALL_SKIPPED, DAY, FAILURE, LEASE, NOW


def cancel(world, submission, actor):
    with unit_of_work(world.engine) as session:
        submissions.cancel(session, submission, actor, NOW)


def rerun(world, submission, actor, split="public"):
    with unit_of_work(world.engine) as session:
        return submissions.rerun(session, submission, split, actor, NOW, queue_due=DAY, seeds=[7, 8, 9]).id


def shown(world, submission):
    with read_only(world.engine) as session:
        return submissions.published_evaluation(session.get_one(Submission, submission)).id


def test_cancelling_before_anything_ran_ends_at_once_and_refunds(world, ada):
    submission, evaluation = world.submission(ada)
    cancel(world, submission, ada)
    row = world.evaluation(evaluation)
    assert (row.status, row.verdict, row.reason) == (Status.DONE, Verdict.CANCELLED, "cancelled_on_request")
    assert world.statuses(evaluation) == ALL_SKIPPED
    assert world.refunds(submission) == 1


def test_cancelling_during_a_run_asks_its_worker_to_stop_and_refunds_nothing(world, ada):
    submission, evaluation = world.submission(ada)
    (claim,) = world.claim()
    cancel(world, submission, ada)
    assert world.evaluation(evaluation).cancel_requested
    assert world.claim() == []
    with unit_of_work(world.engine) as session:
        assert evaluations.heartbeat(session, [claim], NOW, LEASE) == set()
        assert evaluations.stop_cancelled(session, claim, NOW)
    assert world.evaluation(evaluation).verdict is Verdict.CANCELLED
    assert world.statuses(evaluation) == ALL_SKIPPED
    assert world.refunds(submission) == 0


def test_a_run_recorded_after_the_cancel_was_asked_for_ends_as_cancelled(world, ada):
    submission, evaluation = world.submission(ada)
    (claim,) = world.claim()
    cancel(world, submission, ada)
    assert world.record(claim, FAILURE) is Recorded.ENDED
    assert world.evaluation(evaluation).verdict is Verdict.CANCELLED


def test_a_cancelled_run_whose_worker_died_is_reaped_as_cancelled(world, ada):
    submission, evaluation = world.submission(ada)
    world.claim()
    cancel(world, submission, ada)
    world.reap(NOW + LEASE)
    assert world.evaluation(evaluation).verdict is Verdict.CANCELLED


def test_cancelling_between_two_runs_ends_at_once_without_a_refund(world, ada):
    submission, evaluation = world.submission(ada)
    (claim,) = world.claim()
    world.record(claim)
    cancel(world, submission, ada)
    assert world.evaluation(evaluation).verdict is Verdict.CANCELLED
    assert world.statuses(evaluation) == [RunStatus.SUCCEEDED, RunStatus.SKIPPED, RunStatus.SKIPPED]
    assert world.refunds(submission) == 0


def test_cancelling_during_scoring_takes_the_work_from_the_scorer(world, ada):
    submission, evaluation = world.submission(ada)
    for claim in world.claim(limit=3):
        world.record(claim)
    scorer = world.scoring_claim(evaluation)
    cancel(world, submission, ada)
    assert not world.finish(scorer)
    assert world.evaluation(evaluation).verdict is Verdict.CANCELLED


def test_asking_twice_to_cancel_is_the_same_as_once(world, ada):
    submission, _ = world.submission(ada)
    world.claim()
    cancel(world, submission, ada)
    cancel(world, submission, ada)
    assert world.events("evaluation.cancel_requested") == 1


def test_what_has_ended_cannot_be_cancelled(world, ada):
    submission, _ = world.submission(ada)
    cancel(world, submission, ada)
    with pytest.raises(Conflict, match="nothing to cancel"):
        cancel(world, submission, ada)


def test_only_owner_and_admin_see_and_cancel_a_submission(world, ada, admin):
    submission, _ = world.submission(ada)
    eve = world.user("eve")
    with pytest.raises(NotFound):
        cancel(world, submission, eve)
    with read_only(world.engine) as session:
        assert submissions.get(session, submission, ada).id == submission
        assert submissions.get(session, submission, admin).id == submission
    cancel(world, submission, admin)


def test_a_worker_cannot_stop_what_nobody_cancelled(world, ada):
    world.submission(ada)
    (claim,) = world.claim()
    with unit_of_work(world.engine) as session:
        assert not evaluations.stop_cancelled(session, claim, NOW)


def test_a_rerun_of_a_scored_submission_stands_beside_it_and_is_shown_when_it_scores(world, ada, admin):
    submission, old = world.submission(ada)
    world.score(old, 0.3)
    new = rerun(world, submission, admin)
    assert shown(world, submission) == old
    assert [run.seed for run in world.runs(new)] == [7, 8, 9]
    assert world.evaluation(new).generation == 2
    world.score(new, 0.4)
    assert shown(world, submission) == new
    assert world.evaluation(old).verdict is Verdict.SCORED
    assert world.events()[-2:] == ["evaluation.done", "evaluation.published"]


def test_a_failed_rerun_leaves_the_published_score_alone(world, ada, admin):
    submission, old = world.submission(ada)
    world.score(old)
    rerun(world, submission, admin)
    world.record(*world.claim(), FAILURE)
    assert shown(world, submission) == old


def test_a_failed_rerun_is_shown_when_the_old_one_ended_without_a_score(world, ada, admin):
    submission, _ = world.submission(ada)
    world.record(*world.claim(), FAILURE)
    new = rerun(world, submission, admin)
    world.record(*world.claim(), FAILURE)
    assert shown(world, submission) == new


def test_a_failed_rerun_replaces_a_stalled_evaluation(world, ada, admin):
    submission, old = world.submission(ada)
    for _ in range(3):
        with unit_of_work(world.engine) as session:
            evaluations.give_back(session, *_only(world), "sandbox_fault", NOW)
    new = rerun(world, submission, admin)
    assert world.evaluation(old).verdict is Verdict.STALLED
    world.record(*world.claim(), FAILURE)
    assert shown(world, submission) == new


def _only(world):
    return [claim for claim in world.claim() if claim]


def test_a_cancelled_rerun_does_not_hide_the_participants_verdict(world, ada, admin):
    submission, old = world.submission(ada)
    world.record(*world.claim(), FAILURE)
    rerun(world, submission, admin)
    cancel(world, submission, admin)
    assert shown(world, submission) == old
    assert world.refunds(submission) == 0


def test_a_stalled_rerun_refunds_nothing_for_it_cost_nothing(world, ada, admin):
    submission, old = world.submission(ada)
    world.score(old)
    rerun(world, submission, admin)
    assert world.reap(NOW + 30 * 24 * LEASE * 60) == 1
    assert world.refunds(submission) == 0


def test_an_owner_cannot_cancel_an_admins_rerun(world, ada, admin):
    submission, old = world.submission(ada)
    world.score(old)
    rerun(world, submission, admin)
    with pytest.raises(Conflict):
        cancel(world, submission, ada)


def test_a_cancel_by_id_reaches_only_that_evaluation_and_returns_it(world, ada, admin):
    submission, public = world.submission(ada)
    private = rerun(world, submission, admin, "private")
    other, foreign = world.submission(ada, at=NOW + LEASE)
    with unit_of_work(world.engine) as session:
        reached = submissions.cancel(session, submission, admin, NOW, private)
        assert [(one.id, one.verdict) for one in reached] == [(private, Verdict.CANCELLED)]
    assert world.evaluation(public).status is Status.QUEUED
    for actor, chosen, error in (
        (admin, private, Conflict),
        (admin, foreign, NotFound),
        (ada, private, NotFound),
    ):
        with unit_of_work(world.engine) as session, pytest.raises(error):
            submissions.cancel(session, submission, actor, NOW, chosen)
    assert world.evaluation_of(other) == foreign


def test_a_first_evaluation_on_the_private_split_is_that_splits_published_one(world, ada, admin):
    submission, old = world.submission(ada)
    world.score(old)
    private = rerun(world, submission, admin, "private")
    assert world.evaluation(private).published
    assert world.evaluation(private).generation == 1
    assert shown(world, submission) == old


def test_a_rerun_needs_an_admin_a_reference_and_no_other_under_way(world, ada, admin):
    submission, _ = world.submission(ada)
    with pytest.raises(Forbidden):
        rerun(world, submission, ada)
    with pytest.raises(NotPrepared):
        rerun(world, submission, admin, "elsewhere")
    with pytest.raises(Conflict, match="under way"):
        rerun(world, submission, admin)
