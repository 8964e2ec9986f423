"""The examples that give unlearning away."""

import numpy as np
import pytest

from grader import telling
from grader.checks import GradeError


def test_the_largest_epsilons_come_first_and_equal_ones_by_distance():
    R = np.zeros((4, 5)) + np.arange(4.0)[:, None]
    U = R + np.array([0.0, 9.0, 3.0, 9.0, 1.0])
    found = telling.telling(U, R, np.array([0.1, 50.0, 50.0, 50.0, 2.0]))
    assert found.example.tolist() == [1, 3, 2, 4, 0]
    assert found.epsilon.tolist() == [50.0, 50.0, 50.0, 2.0, 0.1]


def test_quantiles_are_those_of_each_kind_of_model():
    U, R = np.arange(101.0)[:, None], np.arange(0.0, 202, 2)[:, None]
    found = telling.telling(U, R, np.array([3.0]))
    assert found.unlearned[0] == pytest.approx([5, 25, 50, 75, 95])
    assert found.retrained[0] == pytest.approx([10, 50, 100, 150, 190])


def test_of_many_examples_a_dozen_are_kept():
    rng = np.random.default_rng(0)
    U, R = rng.normal(size=(2, 8, 40))
    assert len(telling.telling(U, R, rng.random(40)).example) == telling.COUNT


@pytest.mark.parametrize("name", ["U", "epsilon"])
def test_what_is_not_finite_is_refused_by_name(name):
    given = {"U": np.zeros((4, 2)), "R": np.zeros((4, 2)), "epsilon": np.zeros(2)}
    given[name] = given[name] + np.inf
    with pytest.raises(GradeError, match=name):
        telling.telling(**given)
