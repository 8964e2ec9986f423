"""Members found at each rate of false alarms."""

import numpy as np
import pytest

from grader import membership, roc
from grader.checks import GradeError


def test_the_curve_is_what_the_true_positive_rates_say():
    rng = np.random.default_rng(3)
    members, others = rng.normal(0.8, 1, 700), rng.normal(0, 1, 500)
    found = roc.curve(members, others)
    one_by_one = [membership.true_positive_rate(members, others, rate) for rate in roc.PER_MILLE[:-1]]
    assert found.true_positive_rate == pytest.approx([*one_by_one, 1.0])
    assert found.false_positive_rate == pytest.approx(np.array(roc.PER_MILLE) / 1000)


def test_ties_are_found_together_or_not_at_all():
    found = roc.curve(np.array([1.0, 1.0, 2.0]), np.array([1.0, 1.0]))
    assert found.true_positive_rate[:-1] == pytest.approx(1 / 3)


def test_a_curve_never_falls_and_ends_where_all_are_found():
    rng = np.random.default_rng(4)
    rates = roc.curve(rng.normal(size=50), rng.normal(size=40)).true_positive_rate
    assert (np.diff(rates) >= 0).all()
    assert rates[-1] == 1


def test_not_a_number_is_refused():
    with pytest.raises(GradeError, match="members"):
        roc.curve(np.array([np.nan]), np.array([0.0]))


def test_the_attacks_curve_agrees_with_its_rates():
    rng = np.random.default_rng(5)
    found = membership.attack(rng.normal(1, 1, (16, 30)), rng.normal(0, 1, (16, 30)))
    at = dict(zip(roc.PER_MILLE, found.roc.true_positive_rate, strict=True))
    assert at[10] == pytest.approx(found.pooled.tpr_at_1_percent)
    assert at[1] == pytest.approx(found.pooled.tpr_at_01_percent)
