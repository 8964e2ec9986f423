import numpy as np
import pytest

from grader.checks import GradeError
from grader.confidence import confidence


def test_confidence_is_the_log_odds_of_the_true_class():
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]))
    assert confidence(logits, [0, 1]) == pytest.approx(np.log([0.7 / 0.3, 0.3 / 0.7]))


def test_adding_a_constant_to_all_logits_changes_nothing():
    logits = np.arange(12.0).reshape(3, 4)
    assert np.array_equal(confidence(logits, [0, 1, 2]), confidence(logits + 64, [0, 1, 2]))


def test_certain_models_stay_finite():
    assert confidence(np.array([[1e4, 0.0], [0.0, 1e4]]), [0, 0]) == pytest.approx([103.616329, -103.616329])


def test_many_models_at_once_equal_one_after_the_other():
    logits = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    together = confidence(logits, [0, 1, 2, 0, 1])
    assert together.shape == (4, 5)
    assert together.dtype == np.float64
    for model in range(4):
        assert np.array_equal(together[model], confidence(logits[model], [0, 1, 2, 0, 1]))


def test_the_logits_are_left_as_they_are():
    logits = np.array([[3.0, 1.0]], np.float32)
    logits.setflags(write=False)
    confidence(logits, [0])
    assert logits.tolist() == [[3.0, 1.0]]


def test_nan_in_a_row_gives_nan_for_that_row_only():
    found = confidence(np.array([[np.nan, 0.0], [0.0, 0.0]]), [0, 0])
    assert np.isnan(found).tolist() == [True, False]


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros(3), [0], "logits has shape"),
        (np.zeros((2, 3), int), [0, 1], "logits holds int64"),
        (np.zeros((2, 3)), [0], "labels has shape"),
        (np.zeros((2, 3)), [0, 3], "between 0 and 2"),
        (np.zeros((2, 3)), [0, -1], "between 0 and 2"),
        (np.zeros((2, 3)), [0.0, 1.0], "labels holds float64"),
    ],
)
def test_bad_input_is_refused_by_name(logits, labels, message):
    with pytest.raises(GradeError, match=message):
        confidence(logits, labels)
