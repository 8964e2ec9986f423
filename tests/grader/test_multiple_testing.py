import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks import GradeError
from grader.multiple_testing import rejected

chances = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def step_up(p, level):
    """Benjamini and Hochberg as first written: find the last of the sorted p at or below its own line."""
    ordered = sorted(p)
    below = [rank for rank, one in enumerate(ordered, 1) if one <= rank / len(p) * level]
    return max(below, default=0) / len(p)


@given(st.lists(st.integers(0, 40).map(lambda one: one / 97), min_size=1, max_size=30))
def test_the_share_is_that_of_the_step_up_procedure(p):
    assert rejected(np.array(p)) == pytest.approx(step_up(p, 0.05))


@given(chances, st.randoms())
def test_the_order_of_examples_does_not_matter(p, random):
    mixed = random.sample(p, len(p))
    assert rejected(np.array(p)) == rejected(np.array(mixed))


def test_independent_null_tests_are_all_kept_in_about_95_runs_of_100():
    rng = np.random.default_rng(0)
    runs = [rejected(p) > 0 for p in rng.uniform(size=(1000, 50))]
    assert np.mean(runs) == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (np.array([0.5, np.nan]), "p must lie between 0 and 1; it holds nan"),
        (np.array([0.5, 1.5]), "p must lie between 0 and 1; it holds 1.5"),
        (np.array([1]), "p holds int64"),
        (np.array([]), "no axis may be empty"),
    ],
)
def test_what_is_no_p_value_is_refused(p, message):
    with pytest.raises(GradeError, match=message):
        rejected(p)


def test_a_level_outside_0_to_1_is_refused():
    with pytest.raises(GradeError, match="level is 5"):
        rejected(np.array([0.5]), level=5)
