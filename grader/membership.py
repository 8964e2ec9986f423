"""How well one number parts members from non-members."""

import numpy as np
from scipy.stats import rankdata

from grader import checks
from grader.checks import GradeError


def auc(members: object, non_members: object) -> float:
    """Return the chance that a random member lies above a random non-member, ties counting half.

    Both are one-dimensional, float32 or float64; infinities are fine, NaN raises GradeError.
    1 parts them perfectly, 0.5 not at all.

    >>> auc(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    0.875
    """
    first, second = checks.floats("members", members, 1), checks.floats("non_members", non_members, 1)
    for name, values in (("members", first), ("non_members", second)):
        if np.isnan(values).any():
            raise GradeError(f"{name} holds NaN")
    ranks = rankdata(np.concatenate([first, second]))
    wins = ranks[: first.size].sum() - first.size * (first.size + 1) / 2
    return float(wins / (first.size * second.size))
