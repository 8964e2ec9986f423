"""Scoring under a fence, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app import evaluations
from app.db import read_only, unit_of_work
from app.models import Evaluation
from app.status import Status, Verdict
from tests.app.conftest import DAY, LEASE, NOW, SCORE

LATER = NOW + LEASE


@pytest.fixture
def scoring(world, ada):
    """A submission whose runs have all succeeded."""
    submission, evaluation = world.submission(ada)
    for claim in world.claim(limit=3):
        world.record(claim)
    return submission, evaluation


def test_a_score_its_verdict_and_done_come_together(world, scoring):
    _, evaluation = scoring
    claim = world.scoring_claim(evaluation)
    assert world.finish(claim)
    with read_only(world.engine) as session:
        row = session.get_one(Evaluation, evaluation)
        assert (row.status, row.verdict, row.reason, row.due_at) == (Status.DONE, Verdict.SCORED, None, None)
        assert (row.score.score, row.score.retain_ratio) == (SCORE.score, SCORE.retain_ratio)
        assert row.score.report == SCORE.report
        assert row.score.reference_digest == claim.reference_digest
    assert world.events()[-2:] == ["evaluation.scoring_claimed", "evaluation.done"]


def test_only_one_of_many_scorers_gets_the_claim(world, scoring):
    together = Barrier(4)

    def ask(_):
        together.wait()
        return world.scoring_claim(scoring[1])

    with ThreadPoolExecutor(4) as pool:
        claims = [claim for claim in pool.map(ask, range(4)) if claim]
    assert len(claims) == 1


def test_others_leave_a_scorer_alone_until_it_is_overdue(world, scoring):
    assert world.scoring_claim(None) is None
    assert world.scoring_claim(scoring[1]) is not None
    assert world.scoring_claim(None, at=LATER - timedelta(seconds=1)) is None
    assert world.scoring_claim(scoring[1]) is None


def test_a_scorer_that_never_claimed_is_replaced_when_overdue(world, scoring):
    claim = world.scoring_claim(None, at=LATER)
    assert (claim.evaluation_id, claim.fence) == (scoring[1], 1)
    assert world.evaluation(scoring[1]).losses == 0


def test_a_dead_scorers_work_goes_to_another_and_its_late_answer_is_refused(world, scoring):
    old = world.scoring_claim(scoring[1])
    new = world.scoring_claim(None, at=LATER)
    assert new.fence > old.fence
    assert not world.finish(old, at=LATER)
    with unit_of_work(world.engine) as session:
        assert not evaluations.finish_unscorable(session, old, "not_scorable", LATER)
    assert world.finish(new, at=LATER)
    assert not world.finish(new, at=LATER)
    assert world.events("evaluation.done") == 1


def test_three_dead_scorers_stall_the_evaluation_and_refund_it(world, scoring):
    submission, evaluation = scoring
    world.scoring_claim(evaluation)
    assert world.scoring_claim(None, at=NOW + LEASE) is not None
    assert world.scoring_claim(None, at=NOW + 2 * LEASE) is not None
    assert world.scoring_claim(None, at=NOW + 3 * LEASE) is None
    row = world.evaluation(evaluation)
    assert (row.verdict, row.reason, row.losses) == (Verdict.STALLED, "worker_lost", 3)
    assert world.refunds(submission) == 1


def give_back(world, claim, at):
    with unit_of_work(world.engine) as session:
        return evaluations.scoring_give_back(session, claim, at, LEASE, DAY)


def test_scoring_that_is_given_back_goes_on_a_lease_later_and_counts_no_loss_however_often(world, scoring):
    _, evaluation = scoring
    first = world.scoring_claim(evaluation)
    assert give_back(world, first, NOW)
    for turn in range(1, 6):
        at = NOW + turn * LEASE
        assert world.scoring_claim(None, at=at - timedelta(seconds=1)) is None
        assert give_back(world, world.scoring_claim(None, at=at), at)
    assert not give_back(world, first, at)
    assert world.finish(world.scoring_claim(None, at=at + LEASE), at=at + LEASE)
    row = world.evaluation(evaluation)
    assert (row.verdict, row.losses) == (Verdict.SCORED, 0)


def test_scoring_that_is_given_back_for_longer_than_anything_may_wait_is_stalled(world, scoring):
    submission, evaluation = scoring
    at = NOW + DAY
    assert give_back(world, world.scoring_claim(None, at=at), at)
    for turn in (1, 2):
        assert give_back(world, world.scoring_claim(None, at=at + turn * LEASE), at + turn * LEASE)
    assert world.scoring_claim(None, at=at + 3 * LEASE) is None
    row = world.evaluation(evaluation)
    assert (row.verdict, row.losses) == (Verdict.STALLED, 3)
    assert world.refunds(submission) == 1


def test_outputs_that_cannot_be_scored_end_with_the_reasons_verdict(world, scoring):
    submission, evaluation = scoring
    claim = world.scoring_claim(evaluation)
    with unit_of_work(world.engine) as session:
        assert evaluations.finish_unscorable(session, claim, "not_scorable", NOW)
    row = world.evaluation(evaluation)
    assert (row.verdict, row.reason) == (Verdict.INVALID_OUTPUT, "not_scorable")
    assert world.refunds(submission) == 0


def test_scoring_that_nobody_takes_up_ends_as_stalled(world, scoring):
    assert world.reap(LATER) == 0
    assert world.reap(LATER + DAY) == 1
    assert world.evaluation(scoring[1]).reason == "overdue"


def test_an_unknown_evaluation_cannot_be_scored(world):
    assert world.scoring_claim("nothing") is None


def test_a_heartbeat_keeps_a_slow_scorers_claim_and_fails_once_another_has_it(world, scoring):
    mine = world.scoring_claim(scoring[1])
    with unit_of_work(world.engine) as session:
        assert evaluations.scoring_heartbeat(session, mine, LATER, LEASE)
    assert world.scoring_claim(None, at=LATER) is None
    theirs = world.scoring_claim(None, at=LATER + LEASE)
    assert theirs.fence > mine.fence
    with unit_of_work(world.engine) as session:
        assert not evaluations.scoring_heartbeat(session, mine, LATER + LEASE, LEASE)
    assert world.finish(theirs, at=LATER + LEASE)
    with unit_of_work(world.engine) as session:
        assert not evaluations.scoring_heartbeat(session, theirs, LATER + LEASE, LEASE)
