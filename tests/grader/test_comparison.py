import numpy as np
import pytest

from benchmarks.simulation import Laws
from grader import ceiling, comparison, intervals
from grader.checks import GradeError
from grader.types import ModelOutputs

N = 16
DRAWS = 12
LAWS = Laws(20, np.random.default_rng(0))


def outputs(kind, seed, accuracy=0.9):
    rng = np.random.default_rng(seed)
    return ModelOutputs(LAWS.draw(N, kind, rng), *(rng.normal(accuracy, 0.01, N) for _ in range(2)))


R = outputs("identical", 1)


def entry(U, reference=R, draws=DRAWS):
    return ceiling.draw(U, reference, draws=draws)


GOOD = entry(outputs("identical", 2))
BAD = entry(outputs("shifted", 3, accuracy=0.5))
PANELS = ("score", "forgetting_quality", "calibrated_score")


@pytest.mark.parametrize("panel", PANELS)
def test_a_submission_against_itself_differs_by_exactly_nothing(panel):
    found = getattr(comparison.compare(GOOD, GOOD), panel)
    assert found.difference == 0
    assert found.interval == intervals.Interval(0, 0)
    assert not found.separated


@pytest.mark.parametrize("panel", PANELS)
def test_swapping_two_submissions_turns_every_sign(panel):
    there = getattr(comparison.compare(GOOD, BAD), panel)
    back = getattr(comparison.compare(BAD, GOOD), panel)
    assert there.difference == -back.difference
    assert (there.interval.low, there.interval.high) == (-back.interval.high, -back.interval.low)
    assert there.separated == back.separated


def test_a_far_worse_submission_is_separated():
    found = comparison.compare(GOOD, BAD).calibrated_score
    assert found.difference > 0.5
    assert found.separated


def test_two_retrainings_are_not_separated():
    assert not comparison.compare(GOOD, entry(outputs("identical", 4))).calibrated_score.separated


def test_stored_and_rounded_replicates_give_the_same_difference():
    stored = [tuple(np.round(one.calibrated, 6).tolist()) for one in (GOOD, BAD)]
    scores = [ceiling.ceiling(one).calibrated_score for one in (GOOD, BAD)]
    found = comparison.difference(scores[0], stored[0], scores[1], stored[1])
    expected = comparison.compare(GOOD, BAD).calibrated_score
    assert found.difference == expected.difference
    assert found.interval.low == pytest.approx(expected.interval.low, abs=1e-5)


def test_what_one_of_them_does_not_know_is_not_compared():
    found = comparison.compare(GOOD, entry(ModelOutputs(outputs("shifted", 3).confidence)))
    assert found.score is None
    assert found.calibrated_score is None
    assert np.isfinite(found.forgetting_quality.interval.width)


def test_another_reference_is_refused():
    other = outputs("identical", 9)
    with pytest.raises(GradeError, match="different retrained models"):
        comparison.compare(GOOD, entry(outputs("identical", 2), other))


def test_another_number_of_models_is_refused():
    fewer = np.arange(8)
    with pytest.raises(GradeError, match="N differs: 16 and 8"):
        comparison.compare(GOOD, entry(outputs("identical", 2).take(fewer), R.take(fewer)))


def test_another_number_of_draws_is_refused():
    with pytest.raises(GradeError, match="draws differ: 12 and 5"):
        comparison.compare(GOOD, entry(outputs("identical", 2), draws=5))
    with pytest.raises(GradeError, match=r"as many in both: found \(2,\) and \(3,\)"):
        comparison.difference(0.1, [0.1, 0.2], 0.1, [0.1, 0.2, 0.3])
