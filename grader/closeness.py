"""Whether two groups of models lie closer together than two random halves of them would."""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.spatial.distance import cdist

from grader.checks import Floats

_PERMUTATIONS = 999


@dataclass(frozen=True)
class Closeness:
    """The distance of two groups and the `level` quantile of that of random halves, both over the halves' mean."""

    distance: float
    lowest: float


def closeness(U: Floats, R: Floats, level: float, seed: int = 0) -> Closeness:
    """Return the energy distance between U and R, both [N, S], by ranks, summed over the examples.

    For one example it is the two-sample Cramer-von Mises statistic. Independent groups of one law give about 1,
    different laws more. Groups made to agree, as when each run is told which quantile to deliver, give less: about
    a half where U follows the law exactly. Whole models change places, so what the examples share is kept, and the
    chance of a distance below `lowest` is at most `level`, whatever the law. Sources: Szekely & Rizzo 2004
    (InterStat 5) for the permutation test, Anderson 1962 (Ann. Math. Stat. 33) for the two-sample statistic.

    >>> rng = np.random.default_rng(0)
    >>> R, even = rng.uniform(size=(32, 50)), (np.arange(32)[:, None] + rng.uniform(size=(32, 50))) / 32
    >>> found = closeness(even, R, 0.01)
    >>> bool(found.distance < found.lowest)
    True
    """
    ranks = stats.rankdata(np.concatenate([U, R]), axis=0)
    apart = cdist(ranks, ranks, "cityblock")
    sides = np.repeat([1.0, -1.0], [len(U), len(R)])
    shuffled = np.random.default_rng(seed).permuted(np.tile(sides, (_PERMUTATIONS, 1)), axis=1)
    random = -np.einsum("pi,pi->p", shuffled @ apart, shuffled)
    mean = float(random.mean())
    if mean == 0:  # all values of each example are equal: nothing to be close in
        return Closeness(1.0, 0.0)
    lowest = np.sort(random)[int(level * (_PERMUTATIONS + 1)) - 1]
    return Closeness(float(-(sides @ apart @ sides)) / mean, float(lowest) / mean)
