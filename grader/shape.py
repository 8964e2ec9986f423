"""The shape of samples, one for each example: how far they reach, how even their gaps are, how many values tie.

Each measure takes sorted samples [S, n] and returns one number for each example [S]; none changes when the
samples are moved or stretched.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Sorted = NDArray[np.float64]
Values = NDArray[np.float64]
Over = Callable[[Values], np.floating[Any]]
"""How one number is made from those of all examples."""

_GROUPS = 16
_ENDS = (
    10  # gaps are compared without a tenth of the sample at either end: in between the law is nearly level
)
_WIDEST_GAP = 4
_MODELS_PER_GAP = 8
_SIMULATED = 999


def spread(samples: Sorted) -> Values:
    """Return the distance between the quartiles of each sample [S, n], in its own units.

    >>> spread(np.arange(5.0)[None, :])
    array([2.])
    """
    low, high = np.quantile(samples, [0.25, 0.75], axis=1)
    width: Values = high - low
    return width


def reach(samples: Sorted) -> Values:
    """Return log(range / distance between the quartiles) of each sample [S, n]: how far its tails reach.

    NaN where the quartiles are equal.

    >>> np.exp(reach(np.arange(5.0)[None, :])).round(6)
    array([2.])
    """
    middle = spread(samples)
    middle[middle == 0] = np.nan
    far: Values = np.log((samples[:, -1] - samples[:, 0]) / middle)
    return far


def gap_width(n_models: int) -> int:
    """Return how many neighbours a gap should span in `gap_ratio`: 4, and fewer for less than 32 models.

    Wider gaps tell coordinated from independent values better, until the law changes within one.
    """
    return max(1, min(_WIDEST_GAP, n_models // _MODELS_PER_GAP))


def gap_ratio(samples: Sorted, width: int) -> Values:
    """Return the mean of smaller / larger over adjacent gaps in the middle of each sample [S, n].

    A gap reaches over `width` neighbours: x[i + width] - x[i]. Independent values leave gaps like those of a
    Poisson process, with the mean `independent_gap_ratio`; values kept apart have more even gaps. NaN where all
    gaps are 0. Source: Oganesyan & Huse 2007 (Phys. Rev. B 75, 155111), there for energy levels and width 1.

    >>> gap_ratio(np.arange(12.0)[None, :], 2)
    array([1.])
    """
    cut = samples.shape[1] // _ENDS
    middle = samples[:, cut : samples.shape[1] - cut]
    gaps = middle[:, width:] - middle[:, :-width]
    left, right = gaps[:, :-width], gaps[:, width:]
    larger = np.maximum(left, right)
    real = larger > 0
    ratios = np.divide(np.minimum(left, right), larger, out=np.zeros_like(larger), where=real)
    with np.errstate(invalid="ignore"):
        mean: Values = ratios.sum(axis=1) / real.sum(axis=1)
    return mean


def independent_gap_ratio(width: int) -> float:
    """Return the mean of `gap_ratio` for independent values of a level law: 2 ln 2 - 1 for width 1.

    Two adjacent gaps are then independent and Gamma(width) distributed, so one's share of both is
    Beta(width, width). Source for width 1: Atas, Bogomolny, Giraud & Roux 2013 (Phys. Rev. Lett. 110, 084101).

    >>> round(independent_gap_ratio(1), 6), round(independent_gap_ratio(2), 6)
    (0.386294, 0.5)
    """
    if width == 1:
        return 2 * float(np.log(2)) - 1
    return float(2 * width / (width - 1) * special.betainc(width + 1, width - 1, 0.5))


@lru_cache(maxsize=8)
def gap_ratio_limit(n_models: int, width: int, level: float) -> float:
    """Return what `gap_ratio` of one sample of independent values exceeds with probability `level`, simulated.

    The law is uniform; others have less even gaps.
    """
    independent = np.random.default_rng(0).uniform(size=(_SIMULATED, n_models))
    return float(np.quantile(gap_ratio(np.sort(independent, axis=1), width), 1 - level))


def tied(samples: Sorted, tolerance: Values) -> NDArray[np.bool_]:
    """Return which values [S, n] lie within `tolerance` [S] of the value before them.

    >>> tied(np.array([[1.0, 1.0, 2.0]]), np.array([0.0])).tolist()
    [[False, True, False]]
    """
    close = np.zeros(samples.shape, dtype=bool)
    close[:, 1:] = np.diff(samples, axis=1) <= tolerance[:, None]
    return close


@dataclass(frozen=True)
class Samples:
    """Confidences of N models on S examples, sorted once for each example; both arrays are [S, N].

    `group` says which of at most 16 groups of models each value comes from.
    """

    values: Sorted
    group: NDArray[np.intp]

    @classmethod
    def of(cls, confidence: Values) -> "Samples":
        """Sort confidences [N, S]."""
        order = np.argsort(confidence.T, axis=1)
        groups = order % min(_GROUPS, confidence.shape[0])
        return cls(np.take_along_axis(confidence.T, order, axis=1).astype(np.float64), groups)

    def take(self, examples: NDArray[np.bool_]) -> "Samples":
        """Return the samples of some examples."""
        return Samples(self.values[examples], self.group[examples])

    def jackknife(
        self, measure: Callable[[Sorted], Values], over: Over = np.mean
    ) -> tuple[float, float, int]:
        """Return `measure` `over` the examples that have one, its standard error and degrees of freedom.

        The error is the delete-a-group jackknife over models (Kott 2001, J. Official Statistics 17): whole models
        are left out, so it allows for what the examples have in common through them.
        """
        groups = int(self.group.max()) + 1
        found = _known(measure(self.values), over)
        without = [_known(measure(self._without(group)), over) for group in range(groups)]
        variance = (groups - 1) * float(np.var(without))
        return found, float(np.sqrt(variance)), groups - 1

    def _without(self, group: int) -> Sorted:
        kept = self.group != group
        remaining: Sorted = self.values[kept].reshape(self.values.shape[0], -1)
        return remaining


def _known(values: Values, over: Over) -> float:
    known = values[~np.isnan(values)]
    return float(over(known)) if known.size else float("nan")
