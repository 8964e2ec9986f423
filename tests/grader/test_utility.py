import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from grader import utility
from grader.checks import GradeError
from grader.types import ModelOutputs

shares = st.lists(st.integers(0, 8).map(lambda one: one / 8), min_size=2, max_size=8).map(np.array)


def outputs(retain=None, test=None, forget=None, n=4):
    """Outputs of n models; each accuracy is None, one number for all, or [n]."""
    sets = (
        None if one is None else np.broadcast_to(np.asarray(one, float), n) for one in (retain, test, forget)
    )
    return ModelOutputs(np.zeros((n, 1)), *sets)


@given(shares)
def test_the_interval_of_a_mean_is_students(values):
    found = utility.mean_interval(values)
    deviation = np.sqrt(sum((one - values.mean()) ** 2 for one in values) / (len(values) - 1))
    reach = stats.t(len(values) - 1).isf(0.025) * deviation / np.sqrt(len(values))
    assert (found.mean, found.high - found.mean) == pytest.approx((values.mean(), reach), abs=1e-12)
    assert found.mean - found.low == pytest.approx(reach, abs=1e-12)


@pytest.mark.filterwarnings("ignore:Precision loss")  # of scipy, where one group is constant
@given(shares, shares)
def test_the_interval_of_a_gap_is_the_one_scipy_gives_for_welchs_test(first, second):
    found = utility.welch_interval(first, second)
    if np.ptp(first) or np.ptp(second):
        expected = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    else:
        assert found.low == found.high == found.mean == first[0] - second[0]


def test_ninety_five_of_a_hundred_intervals_hold_the_true_gap():
    rng = np.random.default_rng(0)
    pairs = [(rng.normal(0.7, 0.02, 6), rng.normal(0.75, 0.06, 6)) for _ in range(1500)]
    found = [utility.welch_interval(*pair) for pair in pairs]
    assert np.mean([one.low <= -0.05 <= one.high for one in found]) == pytest.approx(0.95, abs=0.02)


def test_a_single_model_has_a_mean_and_no_interval():
    found = utility.panel(outputs(0.5, n=1), outputs(1.0, n=1)).retain
    assert (found.unlearned.mean, found.retrained.mean, found.gap.mean) == (0.5, 1.0, -0.5)
    ends = [getattr(one, end) for one in (found.unlearned, found.gap) for end in ("low", "high")]
    assert np.isnan(ends).all()


def test_each_set_has_its_own_row():
    U, R = outputs([0.5, 0.75, 0.75, 1.0], 0.5, 0.25), outputs(1.0, 0.75, 0.5)
    found = utility.panel(U, R)
    gaps = [getattr(found, name).gap.mean for name in ("retain", "test", "forget")]
    assert gaps == [-0.25, -0.25, -0.25]
    assert found.retain.unlearned.low < 0.75 < found.retain.unlearned.high
    assert found.tug_of_war == 0.75**3


def test_retraining_wins_the_tug_of_war_against_itself():
    R = outputs([0.9, 0.8, 0.7, 1.0], 0.6, 0.3)
    assert utility.panel(R, R).tug_of_war == 1


def test_too_much_accuracy_costs_as_much_in_the_tug_of_war_as_too_little():
    R = outputs(0.5, 0.5, 0.5)
    above, below = (utility.panel(outputs(0.5, 0.5, one), R).tug_of_war for one in (0.75, 0.25))
    assert above == below == 0.75


def test_what_is_unknown_for_one_group_has_no_row_and_no_tug_of_war():
    found = utility.panel(outputs(retain=0.5, test=0.5), outputs(retain=0.5, forget=0.5))
    assert found.retain.gap.mean == 0
    assert (found.test, found.forget, found.tug_of_war) == (None, None, None)
    assert utility.panel(outputs(), outputs(0.5, 0.5, 0.5)) is None


def test_the_groups_may_differ_in_size():
    found = utility.panel(outputs(test=0.5, n=3), outputs(test=[0.25, 0.75], n=2)).test.gap
    assert found.mean == 0
    assert found.low < 0 < found.high


def test_percentages_are_refused_in_the_panel():
    with pytest.raises(GradeError, match="test_accuracy reaches 90; it must hold shares"):
        utility.panel(outputs(test=90.0), outputs(test=0.5))


def test_the_panel_leaves_accuracies_as_they_are():
    accuracy = np.array([0.5, 0.75, 0.5, 1.0], np.float32)
    U = ModelOutputs(np.zeros((4, 1)), accuracy)
    assert utility.panel(U, U).retain.unlearned.mean == 0.6875
    assert accuracy.tolist() == [0.5, 0.75, 0.5, 1.0]
