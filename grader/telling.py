"""The examples that tell most, and how their confidences lie."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader import checks, two_sample

COUNT = 12
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)

Quantiles = NDArray[np.float64]


@dataclass(frozen=True)
class Telling:
    """Up to COUNT examples by which unlearned models are told from retrained ones best, the worst first.

    `example` [K] are their numbers, `epsilon` [K] their official epsilons, `unlearned` and `retrained` [K, 5] the
    LEVELS quantiles of their confidences.
    """

    example: NDArray[np.intp]
    epsilon: NDArray[np.float64]
    unlearned: Quantiles
    retrained: Quantiles


def telling(U: object, R: object, epsilon: object) -> Telling:
    """Return the examples with the largest epsilon [S] among confidences U and R, both [N, S].

    Equal epsilons, such as many at the cap, are ordered by the Wasserstein distance of both samples, then by number.
    Raises GradeError for bad shapes or types, and for a value that is not finite.

    >>> U, R = np.array([[1.0, 5.0], [2.0, 6.0]]), np.array([[1.0, 0.0], [2.0, 1.0]])
    >>> found = telling(U, R, np.array([0.0, 50.0]))
    >>> found.example, found.unlearned[:, 2], found.retrained[:, 2]
    (array([1, 0]), array([5.5, 1.5]), array([0.5, 1.5]))
    """
    unlearned, retrained = checks.confidence_pair(U, R)
    for name, values in (("U", unlearned), ("R", retrained)):
        checks.finite(name, values)
    known = checks.floats("epsilon", epsilon, 1)
    checks.finite("epsilon", known)
    distance = two_sample.wasserstein(
        unlearned.astype(np.float64, copy=False), retrained.astype(np.float64, copy=False)
    )
    chosen = np.lexsort((np.arange(known.size), -distance, -known))[:COUNT]
    quantiles = (
        np.quantile(one[:, chosen].astype(np.float64), LEVELS, axis=0).T for one in (unlearned, retrained)
    )
    return Telling(chosen, known[chosen].astype(np.float64), *quantiles)
