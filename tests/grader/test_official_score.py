import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader import official
from grader.checks import MAX_MODELS, GradeError
from tests.grader import literal_score


def one(u, r):
    """Epsilon and reason of a single example."""
    found = official.epsilons(np.array(u)[:, None], np.array(r)[:, None])
    return found.epsilon[0], found.reasons[0]


def literally(u, r):
    return literal_score.epsilon(np.array(u), np.array(r))


KINDS = {
    "ties": st.integers(-6, 6).map(lambda k: k / 4),
    "below the grid": st.integers(-3, 3).map(lambda k: k * 1e-3),
    "free": st.floats(-5, 5, allow_subnormal=False),
    "two groups": st.sampled_from([-3.0, 3.0]).flatmap(lambda c: st.floats(c - 0.5, c + 0.5)),
    "constant": st.sampled_from([0.0, 0.25]),
}


@st.composite
def samples(draw):
    """Two samples of one size and type, each of one of KINDS and maybe with one far outlier."""
    n = draw(st.integers(1, 9))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    u, r = (np.array(draw(sample_of(n)), dtype) for _ in range(2))
    if draw(st.booleans()):
        u[0] = draw(st.sampled_from([-15.0, 15.0]))
    return u, r


@st.composite
def sample_of(draw, n):
    kind = draw(st.sampled_from(sorted(KINDS)))
    if kind == "constant":
        return [draw(KINDS[kind])] * n
    return draw(st.lists(KINDS[kind], min_size=n, max_size=n))


@settings(max_examples=60)
@given(samples())
@example((np.array([0.0, 0.25]), np.array([0.25, 0.5])))
@example((np.array([1e8, 1e8 + 16], np.float32), np.array([1e8 + 8, 1e8 + 16], np.float32)))
def test_epsilon_equals_the_literal_reading_wherever_a_rule_decides(pair):
    u, r = pair
    expected, (found, reason) = literally(u, r), one(u, r)
    if np.isnan(expected):
        assert reason == official.BELOW_GRID or found in {0.0, official.CAP}
    else:
        assert found == expected


@given(samples(), st.randoms(use_true_random=False))
def test_the_order_of_models_does_not_matter_and_nor_does_who_is_who_unless_medians_tie(pair, random):
    u, r = pair
    shuffled = [np.array(random.sample(list(sample), len(sample)), sample.dtype) for sample in pair]
    assert str(one(*shuffled)) == str(one(u, r))
    if np.median(u) != np.median(r):
        assert str(one(r, u)) == str(one(u, r))


@given(samples(), st.sampled_from([np.inf, -np.inf, np.nan]), st.data())
def test_a_value_that_is_not_finite_is_a_fault_or_perfect_separation(pair, odd, data):
    changed = data.draw(st.sampled_from(pair))
    changed[data.draw(st.integers(0, changed.size - 1))] = odd
    found, reason = one(*pair)
    assert reason == "not_finite" if np.isnan(odd) else found == official.CAP


@given(samples(), st.sampled_from("<>"))
def test_any_layout_and_byte_order_give_the_same_and_inputs_stay_as_they_are(pair, order):
    dtype = pair[0].dtype
    spread = [np.full((sample.size * 2, 3), np.nan, dtype.newbyteorder(order)) for sample in pair]
    for array, sample in zip(spread, pair, strict=True):
        array[::2, 1] = sample
        array.setflags(write=False)
    before = [array.tobytes() for array in spread]
    found = official.epsilons(*(array[::2, 1:2] for array in spread))
    assert str((found.epsilon[0], found.reasons[0])) == str(one(*pair))
    assert [array.tobytes() for array in spread] == before


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_models_that_repeat_a_few_get_what_the_few_get(dtype):
    rng = np.random.default_rng(3)
    u, r = rng.normal(0.5, 1.5, 16).astype(dtype), rng.normal(size=16).astype(dtype)
    assert one(np.tile(u, 256), np.tile(r, 256))[0] == literally(u, r)  # N = 4096, the same rates


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [3, 16, 33])
def test_epsilon_equals_the_literal_reading_on_overlapping_samples(n, dtype):
    rng = np.random.default_rng(n)
    u, r = rng.normal(0.5, 1.5, n).astype(dtype), rng.normal(size=n).astype(dtype)
    assert one(u, r)[0] == literally(u, r)


@given(st.floats(0, 50), st.integers(1, 5000))
def test_points_equal_a_walk_up_the_bins(epsilon, n):
    assert official.points(np.array([epsilon]), n)[0] == literal_score.points(epsilon, n)


def test_equal_constants_cannot_be_told_apart():
    assert one([1.0] * 5, [1.0] * 5) == (0.0, None)


def test_disjoint_samples_too_close_for_the_grid_are_still_perfectly_separable():
    assert one([0.001] * 5, [0.0] * 5) == (official.CAP, None)


def test_a_sample_inside_a_gap_of_the_other_is_perfectly_separable():
    assert one([0.001, 0.003], [0.002 - 1e-5, 0.002]) == (official.CAP, None)


def test_overlapping_samples_below_the_grid_have_no_epsilon_and_a_reason():
    found, reason = one([0.0, 1e-6, 2e-6], [0.0, 1e-6, 2e-6])
    assert np.isnan(found)
    assert reason == "below_grid"


@pytest.mark.parametrize("bad", [[np.nan, 0.0], [np.nan, np.inf]])
def test_nan_in_either_sample_has_no_epsilon_and_a_reason(bad):
    for pair in ((bad, [0.0, 1.0]), ([0.0, 1.0], bad)):
        found, reason = one(*pair)
        assert np.isnan(found)
        assert reason == "not_finite"


@pytest.mark.parametrize("odd", [[np.inf, 0.0], [-np.inf, 0.0], [np.inf, np.inf], [np.inf, -np.inf]])
def test_infinity_in_one_sample_is_perfect_separation_and_in_both_a_fault(odd):
    assert one(odd, [0.0, 1.0]) == one([0.0, 1.0], odd) == (official.CAP, None)
    assert one(odd, [np.inf, 0.0])[1] == "not_finite"


@pytest.mark.parametrize("scale", [1e6, 1e17, 1e308])
def test_values_beyond_any_sensible_grid_end_at_once_with_a_reason(scale):
    u = np.array([-1.0, 0.0, 0.5]) * scale
    assert one(u, u[::-1])[1] == "too_wide"


@pytest.mark.parametrize("base", [2.0**23, 1e9, 1e30])
def test_large_values_close_together_equal_the_literal_reading(base):
    step = np.spacing(np.float32(base))
    u, r = np.float32(base) + step * np.array([[0, 1, 3], [1, 2, 3]], np.float32)
    if step * 300 < 1e7:
        assert one(u, r)[0] == literally(u, r)
    else:
        assert one(u, r)[1] == "too_wide"


def test_one_unscorable_example_makes_forgetting_quality_nan():
    awarded = official.points(np.array([0.1, np.nan]), 32)
    assert awarded[0] == 1.0
    assert np.isnan(official.forgetting_quality(awarded))


def test_examples_are_scored_independently_of_their_neighbours():
    rng = np.random.default_rng(7)
    U, R = rng.normal(size=(16, 3)), rng.normal(size=(16, 3))
    together = official.epsilons(U, R).epsilon
    assert [one(U[:, s], R[:, s])[0] for s in range(3)] == together.tolist()


def test_the_largest_n_is_scored_and_one_more_is_refused():
    rng = np.random.default_rng(10)
    U, R = rng.normal(size=(MAX_MODELS, 1)), rng.normal(size=(MAX_MODELS, 1))
    assert 0 < official.epsilons(U, R).epsilon[0] < official.CAP
    with pytest.raises(GradeError, match="at most 4096"):
        official.epsilons(np.zeros((MAX_MODELS + 1, 1)), np.zeros((MAX_MODELS + 1, 1)))


@pytest.mark.parametrize(
    ("U", "R", "message"),
    [
        (np.zeros((3, 2)), np.zeros((4, 2)), "N, the number of models: U has 3 and R has 4"),
        (np.zeros((3, 2)), np.zeros((3, 5)), "S, the number of examples: U has 2 and R has 5"),
        (np.zeros(3), np.zeros((3, 1)), r"U has shape \(3,\)"),
        (np.zeros((3, 1)), np.zeros((3, 1, 1)), r"R has shape \(3, 1, 1\)"),
        (np.zeros((3, 1), int), np.zeros((3, 1)), "U holds int64"),
        (np.zeros((3, 1)), np.zeros((3, 1), np.float16), "R holds float16"),
        (np.zeros((3, 1), complex), np.zeros((3, 1)), "U holds complex128"),
        (np.zeros((0, 1)), np.zeros((0, 1)), "no axis may be empty"),
        (np.array([["a"]]), np.zeros((1, 1)), "U holds <U1"),
    ],
)
def test_bad_input_is_refused_by_name(U, R, message):
    with pytest.raises(GradeError, match=message):
        official.epsilons(U, R)


def test_points_refuse_an_impossible_number_of_models():
    with pytest.raises(GradeError, match="n_models is 0"):
        official.points(np.array([0.0]), 0)


def test_samples_that_the_grid_cannot_part_are_still_separable():
    U = np.linspace(0.0, 0.004, 8)[:, None]
    R = U + 0.0041
    assert official.separable(U, R).tolist() == [True]
    assert official.separable(R, U).tolist() == [True]
    assert official.separable(U, U + 0.004).tolist() == [False]


def test_a_sample_within_a_gap_of_the_other_is_separable_and_one_with_nan_is_not():
    U = np.array([[-1.0], [-0.9], [1.0], [1.1]])
    R = np.array([[0.0], [0.1], [0.2], [0.3]])
    assert official.separable(U, R).tolist() == [True]
    assert official.separable(U, np.where(R == 0.1, np.nan, R)).tolist() == [False]
