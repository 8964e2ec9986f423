import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from grader import shape
from grader.closeness import closeness, cramer_von_mises

samples = st.lists(st.integers(-50, 50).map(float), min_size=12, max_size=30).map(sorted)


def literal_gap_ratio(values, width):
    cut = len(values) // 10
    middle = values[cut : len(values) - cut]
    ratios = []
    for i in range(len(middle) - 2 * width):
        left, right = middle[i + width] - middle[i], middle[i + 2 * width] - middle[i + width]
        if max(left, right) > 0:
            ratios.append(min(left, right) / max(left, right))
    return np.mean(ratios) if ratios else np.nan


@given(samples, st.integers(1, 3))
def test_the_gap_ratio_is_the_mean_over_all_adjacent_gaps(values, width):
    found = shape.gap_ratio(np.array([values]), width)[0]
    assert found == pytest.approx(literal_gap_ratio(values, width), nan_ok=True)


@given(samples, st.floats(0.1, 10), st.floats(-10, 10))
def test_no_measure_changes_when_a_sample_is_moved_or_stretched(values, factor, step):
    one = np.array([values])
    other = one * factor + step
    for measure in (shape.reach, lambda x: shape.gap_ratio(x, 1), lambda x: shape.gap_ratio(x, 3)):
        assert measure(other) == pytest.approx(measure(one), nan_ok=True, abs=1e-6)


def test_the_mean_ratio_of_independent_gaps_has_its_closed_form():
    assert shape.independent_gap_ratio(1) == 2 * np.log(2) - 1


@pytest.mark.parametrize("width", [1, 2, 4, 7])
def test_the_mean_ratio_of_independent_gaps_is_that_of_gamma_variables(width):
    share = stats.beta(width, width)
    mean = 2 * integrate.quad(lambda b: b / (1 - b) * share.pdf(b), 0, 0.5)[0]
    assert shape.independent_gap_ratio(width) == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize("law", [stats.uniform(), stats.norm(), stats.t(6), stats.expon()])
@pytest.mark.parametrize("width", [1, 4])
def test_independent_values_of_any_smooth_law_have_that_mean_ratio(law, width):
    independent = np.sort(law.rvs(size=(400, 256), random_state=1), axis=1)
    expected = shape.independent_gap_ratio(width)
    assert shape.gap_ratio(independent, width).mean() == pytest.approx(expected, abs=0.006)


def test_the_limit_for_one_sample_is_exceeded_as_rarely_as_it_says():
    independent = np.sort(np.random.default_rng(1).normal(size=(4000, 64)), axis=1)
    exceeded = shape.gap_ratio(independent, 4) > shape.gap_ratio_limit(64, 4, 0.05)
    assert 0.01 < exceeded.mean() < 0.07


def test_the_jackknife_gives_the_textbook_error_of_a_mean():
    values = np.random.default_rng(2).normal(size=(16, 1))
    mean, error, freedom = shape.Samples.of(values).jackknife(lambda x: x.mean(axis=1))
    assert (mean, freedom) == (pytest.approx(values.mean()), 15)
    assert error == pytest.approx(values.std(ddof=1) / 4)


def test_the_jackknife_knows_that_examples_share_their_models():
    same = np.repeat(np.random.default_rng(3).normal(size=(64, 1)), 50, axis=1)
    _, error, _ = shape.Samples.of(same).jackknife(lambda x: x.mean(axis=1))
    assert error == pytest.approx(same[:, 0].std(ddof=1) / 8, rel=0.5)


def test_examples_without_a_value_are_left_out_of_the_mean():
    confidence = np.column_stack([np.zeros(16), np.arange(16.0)])
    mean, error, _ = shape.Samples.of(confidence).jackknife(shape.reach)
    assert mean == pytest.approx(np.log(2))
    assert error > 0


@pytest.mark.parametrize("step", [0.0, 0.7])
def test_six_components_make_up_nine_tenths_of_the_cramer_von_mises_statistic(step):
    U, R = np.random.default_rng(4).normal(size=(2, 60, 300))
    U += step
    sides = np.repeat(np.array([[1, -1]], np.float32), 60, axis=1)
    whole = np.mean([stats.cramervonmises_2samp(*pair).statistic for pair in zip(U.T, R.T, strict=True)])
    left_out = (1 - sum(1 / j**2 for j in range(1, 7)) * 6 / np.pi**2) / 6
    assert cramer_von_mises(U, R, sides)[0] == pytest.approx(whole - left_out, rel=0.02)


def test_groups_with_the_same_values_are_as_close_as_can_be():
    R = np.random.default_rng(5).normal(size=(20, 10))
    assert closeness(R, R[::-1], 0.01).distance == pytest.approx(0, abs=1e-6)


def test_groups_of_one_law_are_seldom_closer_than_the_limit():
    rng = np.random.default_rng(6)
    found = [closeness(*rng.normal(size=(2, 12, 5)), level=0.1) for _ in range(300)]
    assert 0.05 < np.mean([one.distance < one.lowest for one in found]) < 0.15


def test_constants_have_no_distance_to_be_close_in():
    found = closeness(np.zeros((8, 3)), np.zeros((8, 3)), 0.01)
    assert not found.distance < found.lowest
