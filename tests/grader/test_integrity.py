import numpy as np
import pytest

from benchmarks.simulation import Laws
from grader import integrity
from grader.checks import GradeError
from grader.integrity import CLIPPED, SAME_AS_ORIGINAL, TIES, TOO_ALIKE, TOO_CLOSE, TOO_EVEN, inspect

N, S = 64, 60


def drawn(kind, seed=0, *, n_models=N, coarse=False):
    rng = np.random.default_rng(seed)
    laws = Laws(S, rng, coarse=coarse)
    R = laws.draw(n_models, "identical", rng)
    return laws.draw(n_models, kind, rng), R


def codes(U, R, original=None):
    return {flag.code for flag in inspect(U, R, original).flags}


def values(found):
    return {measure.code: measure.value for measure in found.measures}


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("kind", ["identical", "shifted", "narrowed"])
def test_honest_outputs_carry_no_flag(kind, coarse):
    U, R = drawn(kind, coarse=coarse)
    assert codes(U, R, R.mean(axis=0) + 3) == set()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("winsorised 5 %", {TIES, CLIPPED}),
        ("winsorised 10 %", {TIES, CLIPPED}),
        ("winsorised 5 %, jittered", {CLIPPED}),
        ("squashed", {CLIPPED}),
        ("stratified", {TOO_EVEN, TOO_CLOSE}),
        ("stratified 5 %", {TIES, CLIPPED, TOO_EVEN, TOO_CLOSE}),
        ("stratified, jittered", {TOO_CLOSE}),
        ("one quantile a run", {TOO_EVEN}),
        ("one quantile a run, jittered", {TOO_EVEN}),
        ("in fours", {TOO_EVEN, TOO_CLOSE}),
    ],
)
def test_each_way_to_look_better_carries_its_flags(kind, expected):
    assert codes(*drawn(kind)) >= expected


def test_runs_that_copy_each_other_tie():
    U, R = drawn("identical")
    assert TIES in codes(np.repeat(U[::2], 2, axis=0), R)


def test_cutting_off_a_fifth_of_the_examples_is_seen():
    U, R = drawn("identical", n_models=128)
    low, high = np.quantile(U, [0.05, 0.95], axis=0)
    some = np.arange(S) < S // 5
    assert TIES in codes(np.where(some, np.clip(U, low, high), U), R)


def test_a_jitter_below_float_precision_does_not_hide_ties():
    U, R = drawn("winsorised 5 %")
    assert TIES in codes(U + 1e-7 * np.random.default_rng(1).normal(size=U.shape), R)


def test_ties_at_a_value_where_retrained_models_tie_too_are_no_sign():
    U, R = drawn("identical")
    top = np.quantile(R, 0.7, axis=0)
    assert codes(np.minimum(U + 0.3, top), np.minimum(R, top)) == set()


def test_ties_where_float32_has_no_finer_steps_are_no_sign():
    U, R = drawn("identical")
    assert TIES not in codes(np.minimum(100 * U, 95.0), R)


def test_runs_without_any_difference_are_too_alike():
    U, R = drawn("identical")
    assert TOO_ALIKE in codes(np.tile(U[0], (N, 1)), R)
    assert TOO_ALIKE in codes(U[0] + 1e-3 * U, R)
    assert TOO_ALIKE not in codes(U[0] + 0.1 * U, R)


def test_outputs_of_the_original_model_are_named_so():
    U, R = drawn("identical")
    original = R.mean(axis=0) + 3
    noop = np.tile(original, (N, 1))
    assert SAME_AS_ORIGINAL in codes(noop, R, original)
    assert SAME_AS_ORIGINAL in codes(noop + 0.01 * (U - U.mean(axis=0)), R, original)
    mixed = np.where(np.arange(N)[:, None] < N // 3, noop, U)
    assert SAME_AS_ORIGINAL not in codes(mixed, R, original)
    assert values(inspect(mixed, R, original))[SAME_AS_ORIGINAL] == pytest.approx(1 / 3, abs=0.01)


def test_closeness_to_retraining_counts_only_on_one_side():
    U, R = drawn("shifted")
    assert values(inspect(U, R))[TOO_CLOSE] > 1
    assert TOO_CLOSE not in codes(U, R)
    assert TOO_CLOSE in codes(R + 1e-6, R)


def test_values_stay_when_models_or_examples_change_places():
    U, R = drawn("winsorised 5 %")
    rng = np.random.default_rng(2)
    models, examples = rng.permutation(N), rng.permutation(S)
    found = values(inspect(U[models][:, examples], R[models[::-1]][:, examples]))
    found.pop(TOO_CLOSE)  # in units of the mean of other shuffles
    assert found == pytest.approx({code: values(inspect(U, R))[code] for code in found})


def test_values_stay_when_both_groups_are_moved_and_stretched():
    U, R = drawn("winsorised 5 %")
    factor, step = np.random.default_rng(3).uniform(0.5, 2, (2, S))
    assert values(inspect(U * factor + step, R * factor + step)) == pytest.approx(values(inspect(U, R)))


def test_the_same_arguments_give_the_same_answer_and_are_left_alone():
    U, R = (group.astype(np.float32) for group in drawn("stratified 5 %"))
    for group in (U, R):
        group.setflags(write=False)
    assert inspect(U, R) == inspect(U, R)


def test_a_flag_says_in_a_sentence_what_was_seen_and_what_is_usual():
    flag = next(flag for flag in inspect(*drawn("winsorised 5 %")).flags if flag.code == TIES)
    assert flag.value > flag.threshold
    assert f"{flag.value:.1%}" in flag.message
    assert f"{flag.threshold:.1%}" in flag.message
    assert flag.message.endswith(".")


def test_examples_that_are_not_finite_are_left_out():
    U, R = drawn("winsorised 5 %")
    broken = U.copy()
    broken[3, 0], broken[4, 1] = np.nan, np.inf
    assert values(inspect(broken, R)) == pytest.approx(values(inspect(U[:, 2:], R[:, 2:])))
    nothing = inspect(np.full_like(U, np.nan), R)
    assert (nothing.flags, nothing.measures, set(nothing.not_judged)) == ((), (), set(integrity.MESSAGES))


@pytest.mark.parametrize("n_models", range(1, 9))
def test_few_models_say_what_cannot_be_judged(n_models):
    found = inspect(*drawn("identical", n_models=n_models), np.zeros(S))
    judged = {measure.code for measure in found.measures}
    assert judged | set(found.not_judged) == set(integrity.MESSAGES)
    assert (TIES in judged) == (n_models >= 3)
    assert (CLIPPED in judged) == (n_models >= 8)
    if n_models < 8:
        assert found.not_judged[TOO_CLOSE] == f"it takes at least 8 models, and there are {n_models}"
    assert found.flags == ()


def test_an_original_that_is_not_finite_is_compared_where_it_is():
    U, R = drawn("identical")
    original = R.mean(axis=0) + 3
    noop = np.tile(original, (N, 1))
    original[::2] = np.nan
    assert SAME_AS_ORIGINAL in codes(noop, R, original)
    found = inspect(U, R, np.full(S, np.inf))
    assert found.not_judged == {SAME_AS_ORIGINAL: "the original model's outputs are not finite"}


def test_constants_can_hardly_be_judged():
    found = inspect(np.zeros((N, 2)), np.zeros((N, 2)))
    assert found.flags == ()
    assert {CLIPPED, TOO_ALIKE, TOO_EVEN, SAME_AS_ORIGINAL} == set(found.not_judged)


def test_bad_input_is_refused_by_name():
    U, R = drawn("identical")
    with pytest.raises(GradeError, match="U and R differ in N"):
        inspect(U[1:], R)
    with pytest.raises(GradeError, match=f"original holds 3 examples; it must hold {S}"):
        inspect(U, R, np.zeros(3))
    with pytest.raises(GradeError, match="original holds int64"):
        inspect(U, R, np.zeros(S, dtype=np.int64))


@pytest.mark.parametrize(("spared", "reach"), [(0.1, 200), (0.25, 37)])
def test_a_few_runs_at_the_edges_are_seen_beside_wild_outliers(spared, reach):
    """A few runs, chosen by their seeds, take one of two edges in every example; some examples are given outliers."""
    n_models, examples = 128, 100
    rng = np.random.default_rng(3)
    R, U = rng.standard_t(6, (2, n_models, examples))
    low, high = np.quantile(rng.standard_t(6, 100_000), [0.03, 0.97])
    edge = rng.random((n_models, 1)) < 8 / n_models
    cut = np.where(
        edge, np.where(rng.random(U.shape) < 0.5, low, high), rng.permuted(U.clip(low, high), axis=0)
    )
    cut = np.where(edge | ((low < cut) & (cut < high)), cut, rng.uniform(low, high, U.shape))
    wild = rng.random(examples) < spared
    U = np.where(wild, U, cut)
    U[0, wild] = reach
    assert codes(U, R) >= {TIES, CLIPPED}
