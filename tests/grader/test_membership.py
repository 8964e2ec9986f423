import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks import GradeError
from grader.membership import auc

numbers = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=8)


@given(numbers, numbers)
def test_auc_is_the_share_of_pairs_won_with_ties_counting_half(members, others):
    pairs = [(a > b) + (a == b) / 2 for a in members for b in others]
    assert auc(np.array(members), np.array(others)) == pytest.approx(np.mean(pairs))


def test_infinite_confidences_are_ranked_like_others():
    assert auc(np.array([np.inf]), np.array([0.0, -np.inf])) == 1.0


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (np.array([np.nan]), "members holds NaN"),
        (np.array([]), "no axis may be empty"),
        (np.array([1]), "int64"),
    ],
)
def test_bad_input_is_refused_by_name(members, message):
    with pytest.raises(GradeError, match=message):
        auc(members, np.array([0.0]))
    with pytest.raises(GradeError):
        auc(np.array([0.0]), members)
