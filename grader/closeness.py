"""Whether two groups of models lie closer together than two random halves of them would."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from grader.checks import Floats

_PERMUTATIONS = 499
_COMPONENTS = 6
_CHUNK = 500  # examples at a time, to keep memory small


@dataclass(frozen=True)
class Closeness:
    """The distance of two groups and the `level` quantile of that of random halves, both over the halves' mean."""

    distance: float
    lowest: float


def closeness(U: Floats, R: Floats, level: float, seed: int = 0) -> Closeness:
    """Return the distance of U and R, both [N, S], from each other, beside that of random halves of their models.

    The distance is `cramer_von_mises`. Independent groups of one law give about 1, different laws more. Groups made to
    agree, as when each run is told which quantile to deliver, give less: about a half where U follows the law
    exactly. Whole models change places, so what examples share through them is kept, and for equal laws the
    chance of a distance below `lowest` is at most `level` (a permutation test; Pitman 1937, J. R. Stat. Soc.
    Suppl. 4). Every distance is 1 if all values of each example are equal.

    >>> rng = np.random.default_rng(0)
    >>> R, within = rng.uniform(size=(2, 32, 200))
    >>> even = (rng.permuted(np.tile(np.arange(32)[:, None], (1, 200)), axis=0) + within) / 32
    >>> found = closeness(even, R, 0.01)
    >>> bool(found.distance < found.lowest)
    True
    """
    sides = np.repeat(np.array([1, -1], np.float32), [len(U), len(R)])
    shuffled = np.random.default_rng(seed).permuted(np.tile(sides, (_PERMUTATIONS, 1)), axis=1)
    distances = cramer_von_mises(U, R, np.vstack([sides, shuffled]))
    mean = float(distances[1:].mean())
    if mean == 0:
        return Closeness(1.0, 1.0)
    lowest = np.sort(distances[1:])[int(level * (_PERMUTATIONS + 1)) - 1]
    return Closeness(float(distances[0]) / mean, float(lowest) / mean)


def cramer_von_mises(U: Floats, R: Floats, sides: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the two-sample Cramer-von Mises statistic of the models on either side, [len(sides)].

    U and R are [N, S]; a row of `sides` [., 2N] is 1 for one group and -1 for the other. It is the mean, over the
    examples, of the statistic's first six components (Durbin & Knott 1972, J. R. Stat. Soc. B 34), which for
    independent groups of one law make up nine tenths of its mean of 1/6.

    >>> rng = np.random.default_rng(0)
    >>> U, R = rng.normal(size=(2, 100, 400))
    >>> sides = np.repeat(np.array([[1, -1]], np.float32), 100, axis=1)
    >>> bool(abs(cramer_von_mises(U, R, sides)[0] - 0.15) < 0.01)
    True
    """
    ranks = stats.rankdata(np.concatenate([U, R]), axis=0)
    place = ((ranks - 0.5) / len(ranks) * np.pi).astype(np.float32)
    total = np.zeros(len(sides))
    for start in range(0, place.shape[1], _CHUNK):
        some = place[:, start : start + _CHUNK]
        for order in range(1, _COMPONENTS + 1):
            difference = sides @ np.cos(order * some)
            total += np.einsum("ps,ps->p", difference, difference) / order**2
    # A component's variance is N (the sum of 2N cosines, each of mean square 1/2) and its weight 1 / (pi j)^2.
    mean: NDArray[np.float64] = total / (np.pi**2 * len(U) * place.shape[1])
    return mean
