import numpy as np
import pytest

from grader.checks import GradeError
from grader.timing import timing


def test_each_run_stands_beside_the_cutoff():
    found = timing(np.array([2.0, 8.0, 4.0, 10.0]), cutoff=8, n_models=4)
    assert found.seconds.tolist() == [2, 8, 4, 10]
    assert found.share_of_cutoff.tolist() == [0.25, 1, 0.5, 1.25]
    assert (found.cutoff, found.median, found.longest) == (8, 6, 10)


def test_each_run_stands_beside_its_own_cutoff_where_devices_differ():
    found = timing([2.0, 8.0, 4.0], cutoff=[4.0, 10.0, 16.0], n_models=3)
    assert found.share_of_cutoff.tolist() == [0.5, 0.8, 0.25]
    assert (found.cutoff, found.median, found.longest) == (10, 4, 8)


def test_times_may_be_a_list_or_float32_and_are_left_as_they_are():
    given = np.array([1.5, 3.0], np.float32)
    found = timing(given, 6.0)
    assert found.seconds.dtype == np.float64
    assert timing([1.5, 3.0], 6.0).share_of_cutoff.tolist() == found.share_of_cutoff.tolist() == [0.25, 0.5]
    found.seconds[:] = 0
    assert given.tolist() == [1.5, 3.0]


@pytest.mark.parametrize(
    ("seconds", "cutoff", "message"),
    [
        ([-1.0, 1.0], 5.0, "seconds must not be negative; it holds -1"),
        ([np.nan, 1.0], 5.0, r"seconds must be finite; it holds nan at \(0\)"),
        ([1.0, np.inf], 5.0, r"seconds must be finite; it holds inf at \(1\)"),
        ([1.0], 5.0, "seconds holds 1 runs and there are 2 models"),
        ([], 5.0, "no axis may be empty"),
        ([[1.0, 2.0]], 5.0, "seconds has shape"),
        ([1.0, 2.0], 0.0, "cutoff is 0.0 seconds"),
        ([1.0, 2.0], -3.0, "cutoff is -3.0 seconds"),
        ([1.0, 2.0], np.nan, "cutoff is nan seconds"),
        ([1.0, 2.0], np.inf, "cutoff is inf seconds"),
        ([1.0, 2.0], [5.0, -1.0], "cutoff is -1.0 seconds"),
        (
            [1.0, 2.0],
            [5.0, 5.0, 5.0],
            r"cutoff has shape \(3,\); it must be one number, or one for each of 2",
        ),
    ],
)
def test_times_that_cannot_be_are_refused(seconds, cutoff, message):
    with pytest.raises(GradeError, match=message):
        timing(seconds, cutoff, n_models=2)
