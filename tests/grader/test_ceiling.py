import dataclasses
import math

import numpy as np
import pytest

from benchmarks.simulation import Laws
from grader import ceiling, intervals, official
from grader.ceiling import Draws
from grader.checks import GradeError
from grader.types import ModelOutputs
from grader.uncertainty import uncertainty

LAWS = Laws(20, np.random.default_rng(0))


def outputs(kind, seed, n_models=16, accuracy=0.9, laws=LAWS):
    rng = np.random.default_rng(seed)
    accuracies = (rng.normal(accuracy, 0.01, n_models) for _ in range(2))
    return ModelOutputs(laws.draw(n_models, kind, rng), *accuracies)


def forgetting(U, R):
    epsilon = official.epsilons(U.confidence, R.confidence).epsilon
    return np.mean([h for h in official.points(epsilon, U.n_models) if not math.isnan(h)])


@pytest.mark.parametrize("n_models", [15, 16])
def test_draws_are_the_forgetting_quality_of_disjoint_halves(n_models):
    U, R, second = (outputs("identical", seed, n_models) for seed in range(3))
    theirs, ours, others = (intervals.halves(n_models, 3, seed) for seed in range(3))
    alone, with_second = ceiling.draw(U, R, draws=3), ceiling.draw(U, R, second, draws=3)
    for b in range(3):
        for side in range(2):
            r = R.take(theirs[b, side])
            assert alone.forgetting[b, side] == forgetting(U.take(ours[b, side]), r)
            assert with_second.ceiling[b, side] == forgetting(second.take(others[b, side]), r)
        assert alone.ceiling[b, 0] == forgetting(R.take(theirs[b, 1]), R.take(theirs[b, 0]))
    assert np.array_equal(alone.forgetting, with_second.forgetting)


def test_without_a_second_reference_the_ceiling_is_the_mean_over_halves():
    U, R = outputs("shifted", 1), outputs("identical", 2)
    drawn = ceiling.draw(U, R, draws=6)
    found = ceiling.ceiling(drawn)
    assert (found.n_models, found.second_reference, found.reason) == (8, False, None)
    assert found.calibrated_forgetting == drawn.forgetting.mean() / drawn.ceiling.mean()
    kept = (
        U.retain_accuracy.mean() / R.retain_accuracy.mean() * U.test_accuracy.mean() / R.test_accuracy.mean()
    )
    assert found.calibrated_score == pytest.approx(found.calibrated_forgetting * kept)


def test_with_a_second_reference_the_ceiling_is_taken_at_all_models():
    U, R, second = outputs("shifted", 1), outputs("identical", 2), outputs("identical", 3)
    found = ceiling.ceiling(ceiling.draw(U, R, second, draws=2))
    assert (found.n_models, found.second_reference) == (16, True)
    assert found.forgetting_quality == forgetting(second, R)
    assert found.calibrated_forgetting == forgetting(U, R) / forgetting(second, R)


def test_the_second_reference_calibrates_itself_to_exactly_one():
    R, second = outputs("identical", 2), outputs("identical", 3)
    assert ceiling.ceiling(ceiling.draw(second, R, second, draws=2)).calibrated_forgetting == 1


@pytest.mark.parametrize("with_second", [False, True])
@pytest.mark.parametrize("n_models", [32, 128, 512])
def test_retraining_itself_is_calibrated_to_one_within_its_interval(n_models, with_second):
    U, R, second = (
        outputs("identical", seed, n_models, laws=Laws(40, np.random.default_rng(1))) for seed in range(3)
    )
    drawn = ceiling.draw(U, R, second if with_second else None, draws=12)
    found = intervals.interval(ceiling.ceiling(drawn).calibrated_score, drawn.calibrated)
    assert found.low < 1 < found.high
    assert found.width < 1


def made(forgetting, top, full=0.2, at_n=None):
    """Draws of known numbers, without accuracies' spread."""
    ones = np.ones(len(forgetting))
    pairs = (np.array(forgetting, np.float64), np.array(top, np.float64))
    return Draws(full, at_n, 1.0, *pairs, ones, ones, 16, 0, "")


def test_replicates_of_forgetting_quality_are_differences_of_disjoint_halves_over_the_root_of_two():
    drawn = made([[0.3, 0.1], [0.1, 0.3], [0.2, 0.2]], [[0.5]] * 3)
    assert drawn.quality == pytest.approx(0.2 + np.array([0.2, -0.2, 0]) / math.sqrt(2))


def test_replicates_spread_as_much_more_as_forgetting_quality_grew():
    small, grown = (made([[0.3, 0.1], [0.1, 0.3]], [[0.5]] * 2, full) for full in (0.1, 0.6))
    assert small.quality.std() == pytest.approx(0.2 / math.sqrt(2))
    assert grown.quality.std() == pytest.approx(0.6 / math.sqrt(2))


def test_calibrated_replicates_have_the_ratio_as_mean_and_are_linear_in_both():
    rng = np.random.default_rng(0)
    halves, top = rng.uniform(0.1, 0.3, (40, 2)), rng.uniform(0.3, 0.5, (40, 1))
    halves[:, 1] = (
        0.4 - halves[:, 0]
    )  # of sums over models disjoint halves are mirrored, and nothing is held back
    drawn = made(halves, top)
    c = halves.mean() / top.mean()
    assert drawn.calibrated_forgetting.mean() == pytest.approx(c)
    slope = (halves[:, 0] - c * top[:, 0]) / top.mean()
    assert drawn.calibrated_forgetting.std() == pytest.approx(slope.std())


def test_of_halves_that_tell_nothing_of_each_other_a_third_of_the_variance_stays():
    halves = np.array([[0.1, 0.1], [0.1, 0.3], [0.3, 0.1], [0.3, 0.3]])
    drawn = made(halves, [[0.4]] * 4)
    assert drawn.calibrated_forgetting.var() == pytest.approx((halves[:, 0] / 0.4).var() / 3)


def test_a_ceiling_of_nothing_gives_no_calibrated_score_but_a_reason():
    drawn = made([[0.1, 0.1]] * 3, [[0.0]] * 3)
    found = ceiling.ceiling(drawn)
    assert found.calibrated_score is None
    assert found.reason == "retrained models have no points against each other"
    assert np.isnan(drawn.calibrated).all()
    panel = uncertainty(drawn, found, 0.2, 1.0, 1.0)
    assert panel.calibrated_score is None
    assert panel.replicates_calibrated is None


@pytest.mark.parametrize("at_n", [None, 0.4])
def test_no_forgetting_at_all_is_zero_without_doubt(at_n):
    drawn = made([[0.0, 0.0]] * 3, [[0.4, 0.4][: 1 if at_n is None else 2]] * 3, full=0.0, at_n=at_n)
    found = ceiling.ceiling(drawn)
    assert found.calibrated_score == 0
    assert intervals.interval(0.0, drawn.calibrated) == intervals.Interval(0, 0)
    assert intervals.interval(0.0, drawn.score) == intervals.Interval(0, 0)


def test_examples_of_halves_without_epsilon_are_left_out_and_counted():
    U, R = outputs("identical", 1, 8), outputs("identical", 2, 8)
    near = np.linspace(0, 1e-6, 8)[:, None]  # overlapping, too close for the grid
    with_near = [ModelOutputs(np.hstack([one.confidence, near])) for one in (U, R)]
    drawn, without = ceiling.draw(*with_near, draws=6), ceiling.draw(U, R, draws=6)
    assert 0 < drawn.no_epsilon <= 18
    lost = official.epsilons(near, near).reasons
    assert lost == ("below_grid",)
    assert math.isnan(drawn.forgetting_quality)
    assert np.isfinite(drawn.forgetting).all()
    assert drawn.no_epsilon < 18 or np.array_equal(drawn.forgetting, without.forgetting)


def test_without_accuracies_forgetting_is_still_calibrated():
    U, R = (ModelOutputs(outputs("identical", seed).confidence) for seed in (1, 2))
    drawn = ceiling.draw(U, R, draws=4)
    found = ceiling.ceiling(drawn)
    assert found.calibrated_forgetting > 0
    assert (found.calibrated_score, found.reason) == (None, "accuracies are not known")
    panel = uncertainty(drawn, found, drawn.forgetting_quality, math.nan, math.nan)
    assert (panel.score, panel.calibrated_score, panel.replicates_score) == (None, None, None)
    assert panel.models_needed > 16


def test_the_panel_holds_the_headline_numbers_and_six_digits_of_their_replicates():
    U, R = outputs("shifted", 1), outputs("identical", 2)
    drawn = ceiling.draw(U, R, draws=8)
    found = ceiling.ceiling(drawn)
    panel = uncertainty(drawn, found, drawn.forgetting_quality, 0.99, 1.01)
    assert panel.draws == len(panel.replicates_score) == len(panel.replicates_calibrated) == 8
    assert panel.replicates_score == tuple(np.round(drawn.score, 6))
    assert panel.calibrated_score.low < found.calibrated_score < panel.calibrated_score.high
    assert panel.retain_ratio.low < 0.99 < panel.retain_ratio.high


def test_the_ratios_of_few_models_get_the_wide_intervals_that_so_few_numbers_deserve():
    U, R = (outputs("identical", seed, 6) for seed in (1, 2))
    drawn = ceiling.draw(U, R)
    panel = uncertainty(drawn, ceiling.ceiling(drawn), drawn.forgetting_quality, 0.99, 1.01)
    for name, around in (("retain_ratio", 0.99), ("test_ratio", 1.01)):
        reach = 2.5706 * getattr(drawn, name).std(ddof=1)  # Student's t at 5 degrees of freedom
        assert getattr(panel, name).high == pytest.approx(around + reach, abs=1e-5)


def test_the_order_of_models_does_not_matter_beyond_which_halves_are_drawn():
    U, R = outputs("shifted", 1), outputs("identical", 2)
    turned = U.take(np.arange(16)[::-1])
    here, there = (
        ceiling.ceiling(ceiling.draw(one, R, draws=12)).calibrated_forgetting for one in (U, turned)
    )
    assert here == pytest.approx(there, rel=0.3)


def test_inputs_are_left_as_they_are():
    U, R = outputs("shifted", 1), outputs("identical", 2)
    before = dataclasses.replace(U, confidence=U.confidence.copy())
    ceiling.draw(U, R, draws=2)
    assert np.array_equal(U.confidence, before.confidence)


def test_too_few_models_or_another_size_are_refused():
    few = outputs("identical", 1, 5)
    with pytest.raises(GradeError, match=r"N is 5; .* need N = 6 or more"):
        ceiling.draw(few, few)
    with pytest.raises(GradeError, match="second has 5 models of 20 examples; R has 16 models"):
        ceiling.draw(outputs("identical", 1), outputs("identical", 2), few)
    with pytest.raises(GradeError, match="differ in N"):
        ceiling.draw(few, outputs("identical", 2))
