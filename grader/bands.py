"""Rules that take a value for unlearned by where it lies, and the search for the best of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader.rules import compiled

Sample = NDArray[np.float64]
Counts = NDArray[np.intp]
Worth = NDArray[np.float64]
"""How good a rule is by its false positives and false negatives, [n + 1, n + 1]; -inf for useless, never NaN."""


@dataclass(frozen=True)
class Band:
    """The rule "unlearned where low <= x < high", or everywhere else if not `inside`; ends may be infinite."""

    low: float
    high: float
    inside: bool

    def errors(self, u: Sample, r: Sample) -> tuple[int, int]:
        """Return how many of `r` are taken for unlearned, and how many of `u` are not.

        >>> Band(1.0, np.inf, inside=True).errors(np.array([0.0, 1.0, 2.0]), np.array([0.0, 3.0, 0.5]))
        (1, 1)
        """
        return self._taken(r), u.size - self._taken(u)

    def _taken(self, values: Sample) -> int:
        within = int(np.count_nonzero((values >= self.low) & (values < self.high)))
        return within if self.inside else values.size - within


Search = Callable[[Sample, Sample, Worth], Band]


def single(u: Sample, r: Sample, worth: Worth) -> Band:
    """Return the best threshold in either direction between finite samples `u` and `r` of one size n.

    >>> worth = -np.add.outer(np.arange(4.0), np.arange(4.0))
    >>> single(np.array([5.0, 7.0, 1.0]), np.array([2.0, 3.0, 4.0]), worth)
    Band(low=-inf, high=4.5, inside=False)
    """
    ends, below_u, below_r = _ends(u, r)
    return _band(ends, below_u, below_r, worth, 0, int(_by_content(worth)[below_r, below_u].argmax()))


def double(u: Sample, r: Sample, worth: Worth) -> Band:
    """Return the best band, or complement of one, between finite samples `u` and `r` of one size n.

    >>> worth = -np.add.outer(np.arange(4.0), np.arange(4.0))
    >>> double(np.array([5.0, 7.0, 1.0]), np.array([2.0, 3.0, 4.0]), worth)
    Band(low=1.5, high=4.5, inside=False)
    """
    ends, below_u, below_r = _ends(u, r)
    return _band(ends, below_u, below_r, worth, *_best_pair(below_u, below_r, _by_content(worth)))


def _ends(u: Sample, r: Sample) -> tuple[Sample, Counts, Counts]:
    """Return all ends worth trying, midway between neighbours, and how many of each sample lie below them."""
    values = np.unique(np.concatenate([u, r]))
    middle = values[:-1] / 2 + values[1:] / 2
    middle = np.where(
        middle > values[:-1], middle, values[1:]
    )  # the middle of two adjacent floats is one of them
    ends = np.concatenate([[-np.inf], middle, [np.inf]])
    return ends, np.searchsorted(np.sort(u), ends), np.searchsorted(np.sort(r), ends)


def _by_content(worth: Worth) -> Worth:
    """Return the worth of a band by how many of r and of u it holds, the better of inside and outside."""
    return np.maximum(worth[:, ::-1], worth[::-1, :])


@compiled
def _best_pair(below_u: Counts, below_r: Counts, by_content: Worth) -> tuple[int, int]:
    """Return the numbers of the first pair of ends with the largest worth."""
    best, low, high = -np.inf, 0, 1
    for i in range(below_u.size):
        for j in range(i + 1, below_u.size):
            found = by_content[below_r[j] - below_r[i], below_u[j] - below_u[i]]
            if found > best:
                best, low, high = found, i, j
    return low, high


def _band(ends: Sample, below_u: Counts, below_r: Counts, worth: Worth, low: int, high: int) -> Band:
    """Return the band between two ends, the better way round."""
    u, r, n = below_u[high] - below_u[low], below_r[high] - below_r[low], below_u[-1]
    inside = bool(worth[r, n - u] >= worth[n - r, u])
    return Band(float(ends[low]), float(ends[high]), inside)
