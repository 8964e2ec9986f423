"""How many members an attack finds at each rate of false alarms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader import checks

PER_MILLE = (0, 1, 2, 5, 10, 20, 50, 100, 150, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
"""The rates at which a curve is taken, close together where few false alarms are allowed."""

Rates = NDArray[np.float64]


@dataclass(frozen=True)
class Roc:
    """A receiver operating characteristic at fixed rates: both are [18] shares that never fall."""

    false_positive_rate: Rates
    true_positive_rate: Rates


def curve(members: object, non_members: object) -> Roc:
    """Return the share of members found while at most so many non-members are taken for members.

    Both are one-dimensional, float32 or float64, higher meaning likelier a member. At each rate the threshold is that
    of grader.membership.true_positive_rate: nothing is interpolated, and ties are not split. At 1 all are found.
    Raises GradeError for NaN.

    >>> curve(np.array([0.5, 2.5, 3.5]), np.array([0.0, 1.0, 2.0])).true_positive_rate[[0, -2, -1]].round(2)
    array([0.67, 1.  , 1.  ])
    """
    found, others = (
        checks.floats(name, values, 1)
        for name, values in (("members", members), ("non_members", non_members))
    )
    for name, values in (("members", found), ("non_members", others)):
        checks.no_nan(name, values)
    falling, rising = np.sort(others)[::-1], np.sort(found)
    allowed = others.size * np.array(PER_MILLE[:-1]) // 1000
    above = found.size - np.searchsorted(rising, falling[allowed], side="right")
    return Roc(np.array(PER_MILLE) / 1000, np.append(above / found.size, 1.0))


def mean(curves: list[Roc]) -> Roc:
    """Return the mean of curves, rate by rate.

    >>> one, other = (curve(np.array([a]), np.array([0.0])) for a in (1.0, -1.0))
    >>> mean([one, other]).true_positive_rate[[0, -1]]
    array([0.5, 1. ])
    """
    rates = np.mean([one.true_positive_rate for one in curves], axis=0)
    return Roc(curves[0].false_positive_rate, rates)
