import dataclasses
import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from benchmarks.simulation import Laws
from grader import checks, distribution, two_sample
from grader.checks import GradeError
from grader.classifier_test import _ridge, classify

DISTANCES = ("ks", "wasserstein", "energy", "mmd", "jensen_shannon")

pairs = st.integers(2, 9).flatmap(
    lambda n: arrays(np.float64, (2, n), elements=st.integers(-6, 6).map(lambda one: one / 2))
)


def literal(u, r):
    """Each distance as its definition reads, pair by pair."""
    n, pooled = len(u), [*u, *r]
    between = np.mean([abs(a - b) for a in u for b in r])
    within = [np.mean([abs(a - b) for a in one for b in one]) for one in (u, r)]
    gaps = [abs(np.mean([a <= x for a in u]) - np.mean([b <= x for b in r])) for x in pooled]
    return {
        "ks": max(gaps),
        "wasserstein": np.mean([abs(a - b) for a, b in zip(sorted(u), sorted(r), strict=True)]),
        "energy": np.sqrt(max(2 * between - sum(within), 0)),
        "mmd": literal_mmd(u, r, literal_width(pooled)),
        "jensen_shannon": literal_jensen_shannon(u, r, two_sample.bins(n)),
    }


def literal_width(pooled):
    apart = sorted(abs(a - b) for i, a in enumerate(pooled) for b in pooled[:i])
    return apart[(len(apart) - 1) // 2] or np.sqrt(2) * np.std(pooled) or 1.0


def literal_mmd(u, r, width):
    def kernel(a, b):
        return np.exp(-(((a - b) / width) ** 2) / 2)

    n = len(u)
    within = [[kernel(one[i], one[j]) for i in range(n) for j in range(n) if i != j] for one in (u, r)]
    return sum(np.mean(one) for one in within) - 2 * np.mean([kernel(a, b) for a in u for b in r])


def literal_jensen_shannon(u, r, bins):
    pooled = sorted([*u, *r])
    edges = [-np.inf, *(pooled[k * len(pooled) // bins] for k in range(1, bins)), np.inf]
    found = 0.0
    for low, high in itertools.pairwise(edges):
        p, q = (np.mean([low <= x < high for x in one]) for one in (u, r))
        found += sum(one / 2 * np.log2(one / ((p + q) / 2)) for one in (p, q) if one > 0)
    return found


@given(pairs)
def test_every_distance_is_what_its_definition_gives(pair):
    u, r = pair
    found = distribution.compare(u[:, None], r[:, None])
    for name, expected in literal(u, r).items():
        assert getattr(found, name)[0] == pytest.approx(expected, abs=1e-7), name


@given(pairs, st.randoms(use_true_random=False))
def test_neither_the_order_of_models_nor_the_names_of_the_groups_matter(pair, random):
    u, r = pair[:, :, None]
    mixed = [random.sample(list(one), len(one)) for one in (r, u)]
    one, other = distribution.compare(u, r), distribution.compare(*map(np.array, mixed))
    for name in (*DISTANCES, "ks_p"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-9), name


@given(pairs, st.sampled_from([-8.0, 0.5, 64.0]))
def test_moving_both_groups_together_changes_nothing(pair, step):
    u, r = pair[:, :, None]
    one, other = distribution.compare(u, r), distribution.compare(u + step, r + step)
    for name in DISTANCES:
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-9), name


def test_a_shifted_sample_lies_its_shift_away():
    R = np.random.default_rng(0).normal(size=(64, 3))
    shift = np.array([0.25, -1.0, 40.0])
    found = distribution.compare(R + shift, R)
    assert found.wasserstein == pytest.approx(np.abs(shift))
    assert found.jensen_shannon[2] == found.ks[2] == 1
    assert np.diff(found.mmd[[0, 1, 2]]).min() > 0


def test_two_points_apart_have_closed_forms():
    found = distribution.compare(np.full((8, 1), 3.0), np.full((8, 1), 5.0))
    assert (found.wasserstein[0], found.energy[0], found.ks[0]) == pytest.approx((2, 2, 1))
    assert found.jensen_shannon[0] == pytest.approx(1)
    assert found.ks_p[0] == pytest.approx(2 / 12870)  # 2 of the 16-choose-8 orders are as extreme
    assert found.mmd[0] == pytest.approx(2 - 2 * np.exp(-1 / literal_width([3.0] * 8 + [5.0] * 8) ** 2 * 2))


@pytest.mark.parametrize("n", [1, 2, 7, 512])
def test_equal_samples_are_no_distance_apart(n):
    same = np.random.default_rng(0).normal(size=(n, 2))
    for values in (same, np.zeros((n, 2))):
        found = distribution.compare(values, values)
        for name in ("ks", "wasserstein", "energy", "jensen_shannon"):
            assert getattr(found, name).tolist() == [0, 0], name
        assert found.ks_p.tolist() == [1, 1]
        assert found.rejected_ks == 0
    constant = distribution.compare(np.zeros((n, 1)), np.zeros((n, 1))).mmd[0]
    assert constant == pytest.approx(0, abs=1e-12) if n > 1 else np.isnan(constant)


@pytest.mark.parametrize("n", [4, 8, 32, 100])
def test_the_mean_over_equal_laws_is_0_for_mmd_and_as_promised_for_jensen_shannon(n):
    U, R = np.random.default_rng(n).normal(size=(2, n, 1500))
    found = {"mmd": two_sample.mmd(U, R), "jensen_shannon": two_sample.jensen_shannon(U, R)}
    expected = {"mmd": 0, "jensen_shannon": two_sample.jensen_shannon_bias(n)}
    for name, values in found.items():
        assert abs(values.mean() - expected[name]) < 4 * values.std() / np.sqrt(values.size), name


def test_the_p_value_is_the_share_of_all_orders_that_lie_as_far_apart():
    U, R = np.random.default_rng(0).normal(size=(2, 5, 6))
    found = distribution.compare(U, R)
    orders = itertools.combinations(range(10), 5)
    walks = [np.cumsum([1 if place in one else -1 for place in range(10)]) for one in orders]
    gaps = np.array([np.abs(walk).max() / 5 for walk in walks])
    expected = [(gaps > gap - 1e-9).mean() for gap in found.ks]
    assert found.ks_p == pytest.approx(expected)


@pytest.mark.filterwarnings("error")
def test_samples_as_alike_as_two_can_be_have_p_1_without_a_warning():
    for n in (3, 5, 20, 49):
        R = np.arange(float(n))[:, None]
        assert distribution.compare(R + 0.5, R).ks_p[0] == pytest.approx(1)


def test_retraining_against_itself_has_almost_no_example_rejected():
    found = simulated("identical")
    assert found.rejected_ks < 0.02
    assert found.mmd.mean() == pytest.approx(0, abs=0.005)


def test_a_shift_is_rejected_on_nearly_every_example():
    assert simulated("shifted").rejected_ks > 0.9


def test_a_narrowed_law_is_seen_where_means_agree():
    U, R = np.random.default_rng(0).normal(size=(2, 512, 60))
    narrowed = distribution.compare(U * 0.6, R)
    means = np.asarray(stats.ttest_ind(U * 0.6, R, equal_var=False).pvalue)
    assert narrowed.rejected_ks > 0.95
    assert (means < 0.05).mean() < 0.15
    same = distribution.compare(U, R)
    assert (narrowed.energy > np.quantile(same.energy, 0.95)).mean() > 0.9


def simulated(kind):
    rng = np.random.default_rng(3)
    laws = Laws(60, rng)
    return distribution.compare(laws.draw(256, kind, rng), laws.draw(256, "identical", rng))


def test_a_sample_spread_over_blocks_of_rows_is_summed_whole(monkeypatch):
    U, R = np.random.default_rng(0).normal(size=(2, 40, 2))
    whole = two_sample.mmd(U, R)
    monkeypatch.setattr(two_sample, "_ROWS", 7)
    assert two_sample.mmd(U, R) == pytest.approx(whole)


def test_float32_confidences_give_what_float64_gives_and_stay_as_they_are():
    U, R = np.random.default_rng(0).normal(size=(2, 16, 3)).astype(np.float32)
    before = U.copy(), R.copy()
    one = distribution.compare(U, R, U[:, :, None], R[:, :, None])
    other = distribution.compare(*(values.astype(np.float64) for values in (U, R)))
    for name in DISTANCES:
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name
        assert getattr(one, name).dtype == np.float64
    assert np.array_equal(U, before[0])
    assert np.array_equal(R, before[1])


def test_confidences_at_the_ends_of_their_range_are_compared_like_others():
    ends = np.array([[103.616329, -103.616329]]).repeat(8, axis=0)
    found = distribution.compare(ends, -ends)
    assert found.wasserstein == pytest.approx(207.232658)
    assert found.rejected_ks == 1


@pytest.mark.filterwarnings("error")
def test_an_outlier_a_world_away_from_a_crowd_leaves_the_kernel_finite():
    U = np.array([[0.0], [1e-300], [2e-300], [1e6]])
    found = distribution.compare(U, U[::-1])
    assert found.mmd[0] == pytest.approx(two_sample.mmd(U * 1e300, U * 1e300)[0])
    assert np.isfinite(found.mmd[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"U": np.zeros((5, 2))}, "U and R differ in N"),
        ({"U": np.zeros((4, 2), int)}, "U holds int64"),
        ({"U": np.array([[0.0, np.inf]] * 4)}, r"U must be finite; it holds inf at \(0, 1\)"),
        ({"R": np.array([[0.0, np.nan]] * 4)}, r"R must be finite; it holds nan at \(0, 1\)"),
        ({"U_logits": np.zeros((4, 3, 5))}, r"U_logits has shape \(4, 3, 5\); it must be \(4, 2, classes\)"),
        ({"R_logits": np.zeros((4, 2))}, "R_logits has shape"),
        ({"R_logits": np.zeros((4, 2, 6))}, "they must be alike"),
        ({"U_logits": np.full((4, 2, 5), np.nan)}, r"U_logits must be finite; it holds nan at \(0, 0, 0\)"),
        ({"R_logits": np.full((4, 2, 5), -np.inf)}, r"R_logits must be finite; it holds -inf at \(0, 0, 0\)"),
    ],
)
def test_bad_input_is_refused_by_name(change, message):
    good = {name: np.zeros((4, 2)) for name in "UR"} | {
        f"{name}_logits": np.zeros((4, 2, 5)) for name in "UR"
    }
    with pytest.raises(GradeError, match=message):
        distribution.compare(**(good | change))


def test_looking_for_values_that_are_not_finite_takes_little_memory():
    logits = np.zeros((64, 20, 100))
    logits[63, 19, 99] = np.nan
    tracemalloc.start()
    with pytest.raises(GradeError, match=r"U_logits must be finite; it holds nan at \(63, 19, 99\)"):
        checks.finite("U_logits", logits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < logits.size / 4


def test_without_the_logits_of_both_groups_the_classifier_says_nothing():
    U = np.zeros((4, 2))
    found = dataclasses.asdict(distribution.compare(U, U, U_logits=np.zeros((4, 2, 5))))
    assert [found[name] for name in found if "classifier" in name] == [None] * 3


def test_a_single_model_cannot_teach_a_classifier():
    one = np.zeros((1, 2))
    assert distribution.compare(one, one, one[:, :, None], one[:, :, None]).classifier_p is None
    with pytest.raises(GradeError, match="at least 2 models"):
        classify(one[:, :, None], one[:, :, None])


def test_a_classifier_raises_no_more_false_alarms_than_promised():
    rng = np.random.default_rng(0)
    for n in (16, 100):
        own, shared = rng.standard_t(4, (2, n, 1500, 4)), rng.standard_t(4, (2, n, 1500, 1))
        p = classify(*(own + shared)).p
        for level in (0.05, 0.01):
            assert (p <= level).mean() < level + 3 * np.sqrt(level * (1 - level) / p.size)


def test_a_classifier_sees_a_shift_and_a_change_of_spread():
    U, R = np.random.default_rng(0).normal(size=(2, 128, 200, 10))
    shifted = U + 1.0 * (np.arange(10) == 3)
    for changed, accuracy in ((shifted, 0.64), (U * 0.7, 0.73)):
        found = distribution.compare(changed[..., 0], R[..., 0], changed, R)
        assert found.classifier_accuracy.mean() == pytest.approx(accuracy, abs=0.02)
        assert found.rejected_classifier > 0.9
    assert distribution.compare(U[..., 0], R[..., 0], U, R).rejected_classifier == 0


def test_a_classifier_nears_the_best_accuracy_for_known_laws():
    U, R = np.random.default_rng(0).normal(size=(2, 512, 100, 3))
    best = stats.norm.cdf(1.0)  # two unit normals whose means lie 2 apart
    assert classify(U + np.array([2.0, 0, 0]), R).accuracy.mean() == pytest.approx(best, abs=0.01)


def test_logits_without_any_spread_are_guessed():
    found = classify(np.zeros((6, 2, 3)), np.zeros((6, 2, 3)))
    assert found.accuracy.tolist() == [0.5, 0.5]
    assert found.p.tolist() == [1, 1]


def test_perfectly_parted_halves_have_the_least_p():
    U, R = np.random.default_rng(0).normal(size=(2, 9, 3, 2))
    found = classify(U + 50, R)
    assert found.accuracy.tolist() == [1, 1, 1]
    assert found.p == pytest.approx(2 * 0.5**10)  # 5 and 5 models in the larger half


def test_chunks_of_examples_give_what_all_at_once_give(monkeypatch):
    U, R = np.random.default_rng(0).normal(size=(2, 10, 7, 3))
    whole = classify(U, R)
    monkeypatch.setattr("grader.classifier_test._CHUNK", 300)
    parts = classify(U, R)
    assert parts.accuracy == pytest.approx(whole.accuracy)
    assert parts.p == pytest.approx(whole.p)


@pytest.mark.parametrize("shape", [(1, 5, 9), (1, 9, 5)])
def test_both_systems_of_the_ridge_solve_its_definition(shape):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=shape), rng.normal(size=shape[1])
    stacked = np.vstack([X[0], np.sqrt(shape[2]) * np.eye(shape[2])])
    expected = np.linalg.lstsq(stacked, np.concatenate([y, np.zeros(shape[2])]))[0]
    assert _ridge(X, y)[0, :, 0] == pytest.approx(expected)
