"""Normal laws fitted to each example's confidences, and how much likelier one makes a value than another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader import checks
from grader.checks import Floats, GradeError

LARGEST = 1e100
"""Confidences are cut off at plus and minus this, so that infinities are ordinary values with finite squares."""

_LEAST_SPREAD = 0.01  # of the two samples' joint spread; as the official score takes 1 % of a range for none
_TINY = 1e-50  # keeps the squares of LARGEST / spread finite where all values are equal


@dataclass(frozen=True)
class Laws:
    """Normal laws of the members' (unlearned) and others' (retrained) confidence on S examples; all are [S]."""

    member_mean: NDArray[np.float64]
    member_sd: NDArray[np.float64]
    other_mean: NDArray[np.float64]
    other_sd: NDArray[np.float64]


def cut_off(name: str, values: Floats) -> NDArray[np.float64]:
    """Return a float64 copy of `values`, cut off at LARGEST; NaN raises GradeError.

    >>> cut_off("U", np.array([1.0, -np.inf]))
    array([ 1.e+000, -1.e+100])
    """
    checks.no_nan(name, values)
    return np.clip(values.astype(np.float64), -LARGEST, LARGEST)


def fit(members: object, others: object) -> Laws:
    """Return the normal laws of two samples of finite confidences, each [n, S] with n at least 2.

    Standard deviations have n - 1 below. One smaller than 1 % of the spread of both samples together is raised to
    that, so that a constant sample is a narrow law and not a division by zero, in any unit of confidence. Raises
    GradeError for bad shapes.

    >>> laws = fit(np.array([[1.0], [3.0]]), np.array([[5.0], [5.0]]))
    >>> laws.member_mean, laws.member_sd.round(4), laws.other_sd.round(4)
    (array([2.]), array([1.4142]), array([0.0166]))
    """
    samples = checks.floats("members", members, 2), checks.floats("others", others, 2)
    for name, sample in zip(("members", "others"), samples, strict=True):
        if sample.shape[0] < 2:
            raise GradeError(f"{name} holds 1 model; a law needs at least 2")
    least = np.maximum(_LEAST_SPREAD * np.concatenate(samples).std(axis=0), _TINY)
    (mean, sd), (other_mean, other_sd) = ((s.mean(axis=0), s.std(axis=0, ddof=1)) for s in samples)
    return Laws(mean, np.maximum(sd, least), other_mean, np.maximum(other_sd, least))


def log_ratio(values: NDArray[np.float64], laws: Laws) -> NDArray[np.float64]:
    """Return ln(density as a member / density as another), [n, S], of finite confidences [n, S].

    >>> laws = Laws(np.array([1.0]), np.array([1.0]), np.array([0.0]), np.array([1.0]))
    >>> log_ratio(np.array([[0.5], [2.5]]), laws).ravel()
    array([0., 2.])
    """
    as_member = (values - laws.member_mean) / laws.member_sd
    as_other = (values - laws.other_mean) / laws.other_sd
    ratio: NDArray[np.float64] = (as_other**2 - as_member**2) / 2 + np.log(laws.other_sd / laws.member_sd)
    return ratio
