import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from grader import bands
from grader.checks import GradeError
from grader.heldout import held_out, least_models

few = st.lists(st.integers(-3, 3).map(float), min_size=5, max_size=5).map(np.array)


def normal(n_models, n_examples, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_models, n_examples)), rng.normal(size=(n_models, n_examples))


def literal_bound(false_positives, false_negatives, n, delta):
    """Read the formula as written, with SciPy's own exact intervals."""
    fpr, fnr = (binomtest(int(k), n).proportion_ci(0.95).high for k in (false_positives, false_negatives))
    kept = [(1 - delta - a, b) for a, b in ((fpr, fnr), (fnr, fpr))]
    return max([0.0, *(np.log(above / below) for above, below in kept if above > 0)])


@pytest.mark.parametrize("n_models", [11, 12, 37, 64])
def test_bounds_are_the_formula_with_exact_intervals_of_the_judging_models(n_models):
    U, R = normal(n_models, 30)
    found = held_out(U + np.linspace(0, 6, 30), R, delta=0.01)
    assert (found.n_choosing, found.n_judging) == (n_models // 2, n_models - n_models // 2)
    errors = zip(found.false_positives, found.false_negatives, strict=True)
    expected = [literal_bound(fp, fn, found.n_judging, 0.01) for fp, fn in errors]
    np.testing.assert_allclose(found.epsilon_lower, expected, atol=1e-12)
    assert found.certifiable == pytest.approx(literal_bound(0, 0, found.n_judging, 0.01))
    summary = (found.share_above_zero, found.mean_lower, found.median_lower, found.max_lower)
    assert summary == (
        np.mean(np.array(expected) > 0),
        *(f(found.epsilon_lower) for f in (np.mean, np.median, np.max)),
    )


def coin(n_models, n_examples, rng, epsilon):
    """Answer a question truthfully with odds e^epsilon: its epsilon is known."""
    truth = rng.uniform(size=(2, n_models, n_examples)) < 1 / (1 + np.exp(-epsilon))
    return truth[0].astype(float), 1.0 - truth[1]


def laplace(n_models, n_examples, rng, epsilon):
    """Add noise of a law whose epsilon is known to the answers 0 and 1."""
    return rng.laplace(1.0, 1 / epsilon, (n_models, n_examples)), rng.laplace(
        0.0, 1 / epsilon, (n_models, n_examples)
    )


@pytest.mark.parametrize("n_models", [16, 128])
@pytest.mark.parametrize("rounded", [False, True])
def test_among_equal_laws_no_more_examples_than_promised_seem_to_differ(n_models, rounded):
    U, R = normal(n_models, 1000)
    found = held_out(np.round(U), np.round(R)) if rounded else held_out(U, R)
    assert found.share_above_zero <= 0.05


@pytest.mark.parametrize("law", [coin, laplace])
@pytest.mark.parametrize("epsilon", [0.5, 1.5, 3.0])
@pytest.mark.parametrize("n_models", [32, 256])
def test_a_known_epsilon_is_exceeded_in_no_more_examples_than_promised(law, epsilon, n_models):
    found = held_out(*law(n_models, 400, np.random.default_rng(1), epsilon))
    assert (found.epsilon_lower > epsilon).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


@pytest.mark.parametrize(("law", "epsilon"), [(coin, 1.0), (coin, 2.0), (laplace, 2.0)])
def test_with_many_models_the_bound_comes_near_the_known_epsilon(law, epsilon):
    found = held_out(*law(2048, 10, np.random.default_rng(2), epsilon))
    assert 0.7 * epsilon < found.mean_lower < epsilon


@pytest.mark.parametrize("n_models", [11, 32, 129, 512])
def test_samples_far_apart_reach_what_so_many_models_can_certify_and_not_infinity(n_models):
    U, R = normal(n_models, 4)
    found = held_out(U + np.array([20.0, -20.0, 0.0, 0.0]), R)
    judging = n_models - n_models // 2
    upper = 1 - 0.025 ** (1 / judging)
    assert found.certifiable == pytest.approx(np.log((1 - 1e-5 - upper) / upper))
    assert found.epsilon_lower[:2].tolist() == [found.certifiable] * 2
    assert found.rule[:2] == ("single", "single")
    assert (found.false_positives[:2] == 0).all()
    assert (found.false_negatives[:2] == 0).all()


def test_more_models_certify_more():
    certifiable = [held_out(*normal(n, 1)).certifiable for n in (11, 12, 13, 64, 512, 4096)]
    assert certifiable[0] == certifiable[1]  # both judge with six
    assert (np.diff(certifiable[1:]) > 0).all()


def test_a_larger_difference_never_proves_less_and_never_more_than_certifiable():
    U, R = normal(128, 60)
    found = [held_out(U + shift, R) for shift in (0, 0.5, 1, 2, 4, 8)]
    assert (np.diff([one.mean_lower for one in found]) >= 0).all()
    assert all(one.max_lower <= one.certifiable for one in found)
    assert found[0].mean_lower < 0.02
    assert found[-1].mean_lower == pytest.approx(found[-1].certifiable, rel=0.02)


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (lambda x: x + 1.5, {"single"}),
        (lambda x: 0.3 * x, {"gaussian", "double"}),
        (lambda x: x + 5 * np.sign(x), {"gaussian", "double"}),
    ],
    ids=["shifted", "narrowed", "split in two"],
)
def test_the_kind_of_rule_fits_the_kind_of_difference(change, kinds):
    U, R = normal(256, 40)
    found = held_out(change(U), R)
    assert found.mean_lower > 0.5
    assert np.mean([rule in kinds for rule in found.rule]) > 0.9


@given(few, few)
def test_the_search_finds_a_rule_as_good_as_the_best_of_all(u, r):
    worth = np.random.default_rng(int(u.sum() + 7 * r.sum()) + 200).normal(size=(6, 6))
    worth = worth + worth.T
    ends = np.concatenate([[-np.inf], np.unique(np.concatenate([u, r])) - 0.5, [np.inf]])
    pairs = [(low, high) for low in ends for high in ends if low < high]
    for search, tried in (
        (bands.single, [pair for pair in pairs if np.isinf(pair).any()]),
        (bands.double, pairs),
    ):
        rules = [bands.Band(*pair, inside) for pair in tried for inside in (True, False)]
        assert worth[search(u, r, worth).errors(u, r)] == max(worth[rule.errors(u, r)] for rule in rules)


def test_neighbouring_floats_can_be_told_apart():
    low, high = np.ones(3), np.full(3, np.nextafter(1.0, 2.0))
    worth = -np.add.outer(np.arange(4.0), np.arange(4.0))
    for u, r in ((low, high), (high, low)):
        assert bands.single(u, r, worth).errors(u, r) == (0, 0)


def test_what_the_judging_models_are_in_what_order_changes_nothing():
    U, R = normal(40, 20)
    U += 1.0
    order = np.concatenate([np.arange(20), np.random.default_rng(3).permutation(np.arange(20, 40))])
    first, second = held_out(U, R), held_out(U[order], R)
    assert first.epsilon_lower.tolist() == second.epsilon_lower.tolist()
    U[20:] = 0.0
    assert held_out(U, R).rule == first.rule  # the judging models have no part in the choice


def test_place_and_unit_of_the_confidences_change_nothing():
    U, R = (np.round(64 * sample) / 64 for sample in normal(48, 40))
    U[:, ::2] *= 0.5
    assert held_out(4 * U + 8, 4 * R + 8).epsilon_lower.tolist() == held_out(U, R).epsilon_lower.tolist()


def test_infinities_and_constants_are_values_like_others():
    U, R = normal(64, 6)
    U[:, 0] = np.inf
    R[:, 1], U[:, 1] = -np.inf, np.where(np.arange(64) % 2, np.inf, 0.0)
    U[:, 2] = R[:, 2] = np.inf
    U[:, 3] = R[:, 3] = 7.0
    U[:, 4], R[:, 4] = 7.0, 7.1
    U[0, 5] = -np.inf
    found = held_out(U, R)
    assert found.epsilon_lower.tolist() == [found.certifiable] * 2 + [0.0] * 2 + [found.certifiable, 0.0]


def test_inputs_stay_as_they_are_and_float32_counts_as_float64():
    U, R = (sample.astype(np.float32) + 1 for sample in normal(32, 5))
    before = U.copy(), R.copy()
    single = held_out(U, R)
    assert np.array_equal(U, before[0])
    assert np.array_equal(R, before[1])
    assert single.epsilon_lower.tolist() == held_out(U.astype(float), R.astype(float)).epsilon_lower.tolist()


@pytest.mark.parametrize("level", [0.2, 0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("delta", [0.0, 1e-5, 0.4])
def test_the_least_number_of_models_is_the_first_that_certifies_anything(level, delta):
    least = least_models(delta, level)
    assert held_out(*normal(least, 2), delta, level).certifiable > 0
    with pytest.raises(GradeError, match=f"U and R hold {least - 1} models; .* needs at least {least}"):
        held_out(*normal(least - 1, 2), delta, level)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"U": np.full((16, 2), np.nan)}, "U holds NaN"),
        ({"R": np.full((16, 2), np.nan)}, "R holds NaN"),
        ({"U": np.zeros((15, 2))}, "U has 15 and R has 16"),
        ({"U": np.zeros((16, 3))}, "U has 3 and R has 2"),
        ({"U": np.zeros((16, 2), int)}, "U holds int64"),
        ({"delta": 1.0}, "delta is 1.0"),
        ({"delta": float("nan")}, "delta is nan"),
        ({"level": 1.0}, "level is 1.0"),
        ({"level": 0.0}, "level is 0.0"),
    ],
)
def test_bad_input_is_refused_by_name(change, message):
    with pytest.raises(GradeError, match=message):
        held_out(**{"U": np.zeros((16, 2)), "R": np.zeros((16, 2)), **change})
