import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import intervals
from grader.checks import GradeError
from grader.intervals import Interval


@given(st.integers(6, 300), st.integers(2, 10), st.integers(0, 5))
def test_halves_are_disjoint_and_leave_at_most_one_model_out(n_models, draws, seed):
    found = intervals.halves(n_models, draws, seed)
    assert found.shape == (draws, 2, n_models // 2)
    for both in found:
        used = np.unique(both)
        assert used.size == 2 * (n_models // 2)
        assert used.min() >= 0
        assert used.max() < n_models


def test_halves_are_the_same_for_everyone_and_others_for_another_seed():
    assert np.array_equal(intervals.halves(32, 5), intervals.halves(32, 5))
    assert not np.array_equal(intervals.halves(32, 5), intervals.halves(32, 5, seed=1))


def test_more_draws_begin_with_the_same_halves():
    assert np.array_equal(intervals.halves(32, 9)[:5], intervals.halves(32, 5))


def test_every_model_of_an_odd_number_sits_out_now_and_then():
    out = {(set(range(7)) - set(both.ravel())).pop() for both in intervals.halves(7, 200)}
    assert out == set(range(7))


@pytest.mark.parametrize("n_models", [1, 5])
def test_too_few_models_are_refused_with_what_is_needed(n_models):
    with pytest.raises(GradeError, match=f"N is {n_models}; .* N = 6 or more"):
        intervals.halves(n_models, 4)


def test_one_draw_is_refused():
    with pytest.raises(GradeError, match="draws is 1; an interval needs at least 2"):
        intervals.halves(8, 1)


def test_halves_vary_around_the_mean_of_all_models_as_that_does_around_the_truth():
    values = np.random.default_rng(0).normal(size=200)
    replicates = values[intervals.halves(200, 4000)[:, 0]].mean(axis=1)
    assert replicates.std() == pytest.approx(values.std(ddof=1) / math.sqrt(200), rel=0.03)


@pytest.mark.parametrize("n_models", [6, 8, 40])
def test_the_interval_of_a_mean_holds_the_truth_as_often_as_it_says(n_models):
    rng = np.random.default_rng(0)
    chosen = intervals.halves(n_models, 64)[:, 0]
    held = 0
    for _ in range(2000):
        values = rng.normal(size=n_models)
        found = intervals.interval(values.mean(), values[chosen].mean(axis=1), n_models - 1)
        held += found.low <= 0 <= found.high
    assert 0.935 < held / 2000 < 0.965


def test_equal_replicates_give_an_interval_without_width():
    assert intervals.interval(0.3, np.full(5, 0.2)) == Interval(0.3, 0.3)


def test_replicates_that_are_no_number_are_left_out():
    with_nan = intervals.interval(0.0, np.array([1.0, 2.0, np.nan, 4.0]))
    assert with_nan == intervals.interval(0.0, np.array([1.0, 2.0, 4.0]))


def test_one_replicate_gives_no_interval():
    found = intervals.interval(0.0, np.array([1.0, np.nan]))
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert intervals.models_needed(32, found, 0.01) is None


@given(st.integers(6, 512), st.floats(0.001, 1.0))
def test_an_interval_as_wide_as_wanted_needs_no_more_models(n_models, width):
    assert intervals.models_needed(n_models, Interval(0.0, width), width) == n_models


def test_half_the_width_needs_four_times_the_models():
    assert intervals.models_needed(30, Interval(0.1, 0.3), 0.1) == 120


def test_a_width_of_zero_is_refused():
    with pytest.raises(GradeError, match="width is 0"):
        intervals.models_needed(30, Interval(0.1, 0.3), 0)
