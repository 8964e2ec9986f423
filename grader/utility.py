"""How much of the retrained models' accuracy the unlearned ones keep."""

import numpy as np

from grader import checks
from grader.checks import GradeError


def ratio(unlearned: object, retrained: object) -> float:
    """Return mean accuracy of the unlearned models [N] over that of the retrained ones [M].

    It may exceed 1, as in the official score. Raises GradeError if retrained accuracy is 0 on average.

    >>> ratio(np.array([0.5, 0.25]), np.array([0.75, 0.75]))
    0.5
    """
    top = float(np.mean(checks.floats("unlearned accuracy", unlearned, 1), dtype=np.float64))
    bottom = float(np.mean(checks.floats("retrained accuracy", retrained, 1), dtype=np.float64))
    if bottom == 0:
        raise GradeError("retrained accuracy is 0 on average: there is nothing to compare with")
    return top / bottom


def score(forgetting_quality: float, retain_ratio: float, test_ratio: float) -> float:
    """Return the official score: forgetting quality times both utility ratios.

    >>> score(0.5, 0.5, 1.0)
    0.25
    """
    return forgetting_quality * retain_ratio * test_ratio
