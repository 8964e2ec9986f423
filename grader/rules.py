"""The search over all rules of the official score, compiled.

A rule counts only through how many members of either sample it takes, so places in the sorted samples say it all; as
the grids rise, places only move up. The one line that rounds does so in the type of the data, as NumPy would: no fast
mathematics. The first call in a process compiles, about a second for each of float32 and float64.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from grader.checks import Floats

Table = NDArray[np.float32]
"""Epsilon [N + 1, N + 1]: a row for each number of false positives, a column for each of false negatives."""

# Nothing is kept on disk, since the folder of an installed package need not be writable; other threads may run.
compiled = numba.njit(nogil=True, cache=False)


class Bands(NamedTuple):
    """Bands [l, r]: for each r in `right` [M] the left ends low + step * place, but `high` at the last place.

    All are of the samples' type and rise; `places` are 0, 1, 2, ...
    """

    right: Floats
    low: Floats
    step: Floats
    high: Floats
    places: Floats


@compiled
def first_from(sample: Floats, start: int, value: float) -> int:
    """Return the first place, from `start` on, whose member is not below `value`."""
    place = start
    while place < sample.size and sample[place] < value:
        place += 1
    return place


@compiled
def first_above(sample: Floats, start: int, value: float) -> int:
    """Return the first place, from `start` on, whose member is above `value`."""
    place = start
    while place < sample.size and sample[place] <= value:
        place += 1
    return place


@compiled
def best_threshold(pos: Floats, neg: Floats, thresholds: Floats, table: Table) -> float:
    """Return the largest epsilon of the rules "positive where x >= t"; all arrays are sorted.

    >>> best_threshold(np.array([1.0, 2.0]), np.array([0.0, 0.5]), np.array([0.7]), np.eye(3, dtype=np.float32))
    1.0
    """
    best: float = table[0, -1]
    in_pos = in_neg = 0
    for threshold in thresholds:
        in_pos = first_from(pos, in_pos, threshold)
        in_neg = first_from(neg, in_neg, threshold)
        best = max(best, table[neg.size - in_neg, in_pos])
    return best


@compiled
def best_band(narrow: Floats, wide: Floats, bands: Bands, table: Table) -> float:
    """Return the largest epsilon of the rules "the narrower sample where l <= x <= r"; both samples are sorted.

    Of left ends with no member between them only the first is tried: all take the same members.
    """
    best: float = table[0, -1]
    last = bands.places.size - 1
    narrow_from = wide_from = narrow_to = wide_to = 0
    for i in range(bands.right.size):
        right, low, step, high = bands.right[i], bands.low[i], bands.step[i], bands.high[i]
        narrow_to, wide_to = first_above(narrow, narrow_to, right), first_above(wide, wide_to, right)
        narrow_from, wide_from = first_from(narrow, narrow_from, low), first_from(wide, wide_from, low)
        a, b, j, left = narrow_from, wide_from, 0, low
        while left <= right:
            a, b = first_from(narrow, a, left), first_from(wide, b, left)
            best = max(best, table[wide_to - b, narrow.size - narrow_to + a])
            leaving = high
            if a < narrow.size:
                leaving = min(leaving, narrow[a])
            if b < wide.size:
                leaving = min(leaving, wide[b])
            if leaving == high:
                break
            while left <= leaving:
                j += 1
                left = low + step * bands.places[j] if j < last else high
    return best
