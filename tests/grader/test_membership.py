import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from grader import likelihood
from grader.checks import GradeError
from grader.membership import attack, auc, true_positive_rate

numbers = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=8)


def normal(n_models, n_examples, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_models, n_examples)), rng.normal(size=(n_models, n_examples))


@given(numbers, numbers)
def test_auc_is_the_share_of_pairs_won_with_ties_counting_half(members, others):
    pairs = [(a > b) + (a == b) / 2 for a in members for b in others]
    assert auc(np.array(members), np.array(others)) == pytest.approx(np.mean(pairs))


@given(numbers, numbers, st.sampled_from([0, 1, 10, 250, 500, 999]))
def test_true_positive_rate_is_the_best_that_a_threshold_on_a_non_member_allows(members, others, per_mille):
    found, rest = np.array(members), np.array(others)
    allowed = [t for t in others if (rest > t).sum() * 1000 <= per_mille * rest.size]
    assert true_positive_rate(found, rest, per_mille) == max((found > t).mean() for t in allowed)


def test_with_few_non_members_a_small_false_positive_rate_means_none_at_all():
    members, others = np.array([0.0, 2.0, 99.5, 101.0]), np.arange(100.0)
    assert true_positive_rate(members, others, 1) == true_positive_rate(members, others, 9) == 0.5
    others[-1] = 100.0
    assert true_positive_rate(members, others, 1) == 0.25
    assert true_positive_rate(members, others, 10) == 0.5  # one of a hundred may be mistaken


def test_infinite_confidences_are_ranked_like_others():
    assert auc(np.array([np.inf]), np.array([0.0, -np.inf])) == 1.0
    assert true_positive_rate(np.array([np.inf, 1.0]), np.array([1.0, -np.inf]), 1) == 0.5


@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0, 3.0])
def test_two_normal_laws_of_one_width_give_the_closed_forms(distance):
    U, R = normal(1024, 60)
    found = attack(U + distance, R)
    assert found.pooled.auc == pytest.approx(norm.cdf(distance / np.sqrt(2)), abs=0.01)
    assert found.pooled.balanced_accuracy == pytest.approx(norm.cdf(distance / 2), abs=0.01)
    assert found.pooled.tpr_at_1_percent == pytest.approx(norm.cdf(distance - norm.ppf(0.99)), abs=0.02)
    assert found.pooled.tpr_at_01_percent == pytest.approx(norm.cdf(distance - norm.ppf(0.999)), abs=0.03)
    assert found.auc.mean() == pytest.approx(norm.cdf(distance / np.sqrt(2)), abs=0.005)
    assert found.balanced_accuracy.mean() == pytest.approx(norm.cdf(distance / 2), abs=0.005)


def test_two_normal_laws_of_one_centre_give_the_closed_forms():
    U, R = normal(1024, 60)
    found = attack(U / 2, R)
    cut = np.sqrt(2 * np.log(2) / 3)  # where the two densities cross
    accuracy = 0.5 + norm.cdf(2 * cut) - norm.cdf(cut)
    assert found.pooled.auc == pytest.approx(2 / np.pi * np.arctan(2), abs=0.01)
    assert found.pooled.balanced_accuracy == pytest.approx(accuracy, abs=0.01)
    assert found.median_auc == pytest.approx(2 / np.pi * np.arctan(2), abs=0.01)


def literal(U, R):
    """Follow one example through both halves with SciPy's densities, pair by pair."""
    half, scores = len(U) // 2, []
    cut = half + len(U) % 2
    for known, judged in ((slice(0, cut), slice(cut, None)), (slice(cut, None), slice(0, cut))):
        least = 0.01 * np.concatenate([U[known], R[known]]).std()
        as_u, as_r = (norm(s[known].mean(), max(s[known].std(ddof=1), least)) for s in (U, R))
        scores.append([as_u.logpdf(s[judged]) - as_r.logpdf(s[judged]) for s in (U, R)])
    aucs = [np.mean([(a > b) + (a == b) / 2 for a in u for b in r]) for u, r in scores]
    right = [(np.mean((u > 0) + (u == 0) / 2) + np.mean((r < 0) + (r == 0) / 2)) / 2 for u, r in scores]
    return np.mean(aucs), np.mean(right)


@pytest.mark.parametrize("n_models", [4, 5, 8, 33])
def test_each_example_agrees_with_a_literal_reading(n_models):
    U, R = normal(n_models, 20)
    U[:, ::2] += 1.5
    U[:, 1] = 0.25
    found = attack(U, R)
    expected = [literal(u, r) for u, r in zip(U.T, R.T, strict=True)]
    np.testing.assert_allclose(np.transpose([found.auc, found.balanced_accuracy]), expected, atol=1e-12)
    assert found.median_auc == np.median(found.auc)
    assert found.median_balanced_accuracy == np.median(found.balanced_accuracy)
    assert found.pooled.non_members == 20 * (n_models // 2)


@pytest.mark.parametrize("n_models", [4, 9, 16, 64])
def test_equal_laws_look_no_better_than_chance(n_models):
    U, R = normal(n_models, 2000, seed=n_models)
    found = attack(U, R)
    for values in (found.auc, found.balanced_accuracy):
        assert abs(values.mean() - 0.5) < 3.5 * values.std() / np.sqrt(values.size)
    assert found.pooled.auc == pytest.approx(0.5, abs=0.02)
    assert found.pooled.balanced_accuracy == pytest.approx(0.5, abs=0.02)
    assert found.pooled.tpr_at_1_percent < 0.02
    assert found.pooled.tpr_at_01_percent < 0.005


def test_laws_far_apart_are_told_apart_without_error():
    U, R = normal(32, 10)
    found = attack(U + 50, R)
    pooled = found.pooled
    rates = (pooled.auc, pooled.tpr_at_1_percent, pooled.tpr_at_01_percent, pooled.balanced_accuracy)
    assert rates == (1.0, 1.0, 1.0, 1.0)
    assert (found.auc == 1).all()
    assert (found.balanced_accuracy == 1).all()


def test_constants_and_infinities_are_values_like_others():
    U, R = normal(16, 5)
    U[:, 0], R[:, 0] = 3.0, 3.0
    U[:, 1], R[:, 1] = 3.0, 3.5
    U[:, 2], R[:, 2] = np.inf, np.inf
    U[:, 3] = np.inf
    U[3, 4], R[5, 4] = np.inf, -np.inf
    found = attack(U, R)
    assert found.auc[:4].tolist() == found.balanced_accuracy[:4].tolist() == [0.5, 1.0, 0.5, 1.0]
    assert np.isfinite([*found.auc, *found.balanced_accuracy, found.pooled.auc]).all()


def test_nothing_but_one_value_gives_chance_and_finds_nobody():
    found = attack(np.ones((8, 3)), np.ones((8, 3))).pooled
    assert (found.auc, found.balanced_accuracy) == (0.5, 0.5)
    assert (found.tpr_at_1_percent, found.tpr_at_01_percent) == (0.0, 0.0)


def test_place_unit_and_sign_of_the_confidences_and_order_within_a_half_change_nothing():
    U, R = normal(24, 12)
    U = U * 0.5 + 1
    first = attack(U, R)
    order = np.concatenate([np.arange(12)[::-1], np.arange(12, 24)[::-1]])
    for change in (lambda x: 8 * x - 3, lambda x: -x, lambda x: x[order]):
        second = attack(change(U), change(R))
        np.testing.assert_allclose(second.auc, first.auc)
        np.testing.assert_allclose(second.balanced_accuracy, first.balanced_accuracy)
        assert second.pooled.auc == pytest.approx(first.pooled.auc)


def test_inputs_stay_as_they_are_and_float32_counts_as_float64():
    U, R = (sample.astype(np.float32) for sample in normal(16, 5))
    before = U.copy(), R.copy()
    found = attack(U, R)
    assert np.array_equal(U, before[0])
    assert np.array_equal(R, before[1])
    assert found.pooled == attack(U.astype(float), R.astype(float)).pooled


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (np.array([np.nan]), "members holds NaN"),
        (np.array([]), "no axis may be empty"),
        (np.array([1]), "int64"),
    ],
)
def test_bad_samples_are_refused_by_name(members, message):
    for measure in (auc, lambda first, second: true_positive_rate(first, second, 10)):
        with pytest.raises(GradeError, match=message):
            measure(members, np.array([0.0]))
        with pytest.raises(GradeError, match="members"):
            measure(np.array([0.0]), members)


@pytest.mark.parametrize(
    ("U", "message"),
    [
        (np.zeros((3, 2)), "U has 3 and R has 4"),
        (np.zeros((4, 1)), "U has 1 and R has 2"),
        (np.full((4, 2), np.nan), "U holds NaN"),
        (np.zeros((4, 2), int), "U holds int64"),
    ],
)
def test_bad_outputs_are_refused_by_name(U, message):
    with pytest.raises(GradeError, match=message):
        attack(U, np.zeros((4, 2)))


def test_too_few_models_and_impossible_rates_are_refused():
    with pytest.raises(GradeError, match="U and R hold 3 models; an attack needs at least 4"):
        attack(np.zeros((3, 2)), np.zeros((3, 2)))
    with pytest.raises(GradeError, match="per_mille is 1000"):
        true_positive_rate(np.zeros(1), np.zeros(1), 1000)
    with pytest.raises(GradeError, match="others holds 1 model"):
        likelihood.fit(np.zeros((2, 1)), np.zeros((1, 1)))
