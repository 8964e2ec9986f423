"""The official score of the NeurIPS 2023 unlearning competition, exactly, without trying rule after rule.

For each forget example, attacks try to tell N unlearned models from N retrained ones by the example's
confidence. An attack's epsilon depends only on two counts (false positives, false negatives), so the samples
are sorted once, counts are places in them (grader/rules.py), and epsilon comes from a table made with the official
arithmetic. Source: the scoring code of the competition, "Evaluation for the NeurIPS Machine Unlearning Competition",
Triantafillou et al. 2023.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from grader import checks, rules
from grader.checks import Floats, GradeError

NOT_FINITE = "not_finite"
BELOW_GRID = "below_grid"
TOO_WIDE = "too_wide"
REASONS = {
    NOT_FINITE: "a confidence is NaN, or both samples hold an infinity",
    BELOW_GRID: "the samples overlap and are too narrow for any rule of the grid to decide",
    TOO_WIDE: "the confidences are too large or too far apart for the grid of rules",
}

CAP = 50.0
_DELTA = 1e-5
_PER_UNIT = 100  # thresholds per unit of confidence
_BUFFER = 2.0  # how far a band's ends reach beyond the narrower sample
_LEFT_ENDS = 400
_MIN_RANGE_RATIO = 0.01
_DISCARDED = -1.0
# Real confidences (+-103.6) need 20,800 thresholds. Up to this bound, rounding cannot make more than about 800
# right ends either; without it, one wild value would fill the memory.
_MAX_THRESHOLDS = 10_000_000


@dataclass(frozen=True)
class Epsilons:
    """Epsilon of each example, [S] float64; NaN where `reasons` holds a key of REASONS, else None."""

    epsilon: NDArray[np.float64]
    reasons: tuple[str | None, ...]


def epsilons(U: object, R: object) -> Epsilons:
    """Return how well an attack tells unlearned from retrained models, for each example.

    `U` and `R` are confidences [N, S] (models, examples), float32 or float64, of equal shape; they are left
    as they are. Epsilon runs from 0 (no attack works) to 50 (perfect separation). An example that cannot be
    scored is NaN with a reason. Raises GradeError for bad shapes and types, or N over 4096.

    >>> U = np.array([[0.0, 5.0, 1.0], [1.0, 6.0, np.nan], [2.0, 7.0, 1.0]])
    >>> R = np.array([[0.5, 0.0, 1.0], [1.5, 1.0, 1.0], [2.5, 2.0, 1.0]])
    >>> epsilons(U, R).epsilon.round(4)
    array([ 0.6931, 50.    ,     nan])
    >>> epsilons(U, R).reasons
    (None, None, 'not_finite')
    """
    unlearned, retrained = checks.confidence_pair(U, R)
    table = epsilon_table(unlearned.shape[0])
    scored = [_example(np.sort(u), np.sort(r), table) for u, r in zip(unlearned.T, retrained.T, strict=True)]
    values = [(np.nan, found) if isinstance(found, str) else (found, None) for found in scored]
    return Epsilons(np.array([value for value, _ in values]), tuple(reason for _, reason in values))


def separable(U: object, R: object) -> NDArray[np.bool_]:
    """Say which examples [S] have samples that one threshold or band would part perfectly, however small the gap.

    The official grid can step over such a gap, and epsilon is then below its cap. `U` and `R` are as in `epsilons`;
    an example that holds NaN is not separable.

    >>> separable(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[1.0001, 0.5], [2.0, 1.5]]))
    array([ True, False])
    """
    unlearned, retrained = checks.confidence_pair(U, R)
    known = ~(np.isnan(unlearned).any(axis=0) | np.isnan(retrained).any(axis=0))
    apart = [
        ~((a.min(axis=0) <= b) & (b <= a.max(axis=0))).any(axis=0)
        for a, b in ((unlearned, retrained), (retrained, unlearned))
    ]
    found: NDArray[np.bool_] = known & (apart[0] | apart[1])
    return found


def points(epsilon: object, n_models: int) -> NDArray[np.float64]:
    """Return the points H of each epsilon [S]: 1 below 0.5, halved every 0.5, 0 from ceil(ln(N - 1)) on.

    With one or two models there are no bins, and all points are 0. NaN stays NaN.

    >>> points(np.array([0.2, 0.5, 1.0, 4.0, np.nan]), 32)
    array([1.  , 0.5 , 0.25, 0.  ,  nan])
    """
    if n_models < 1:
        raise GradeError(f"n_models is {n_models}; it must be at least 1")
    values = checks.floats("epsilon", epsilon, 1).astype(np.float64)
    top = np.ceil(np.log(n_models - 1)) if n_models > 2 else 0.0
    worth = np.where(values < top, np.exp2(-np.floor(2 * values)), 0.0)
    return np.where(np.isnan(values), np.nan, worth)


def forgetting_quality(awarded: object) -> float:
    """Return F, the mean of the points [S]: NaN if one of them is, so that no example is quietly left out.

    >>> forgetting_quality(np.array([1.0, 0.25]))
    0.625
    """
    return float(checks.floats("points", awarded, 1).mean())


def epsilon_table(n_models: int) -> rules.Table:
    """Return epsilon for every pair of error counts, [N + 1, N + 1] float32, symmetric; -1 is discarded.

    Rates are counts / N in float32. A rule with no error at all is a perfect one (the cap); with exactly one
    of its two rates 0 it is discarded, since N is then too small to tell.

    >>> epsilon_table(2)
    array([[50., -1., -1.],
           [-1.,  0.,  0.],
           [-1.,  0., -1.]], dtype=float32)
    """
    rate = np.arange(n_models + 1, dtype=np.float32) / np.float32(n_models)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.log(np.float32(1 - _DELTA) - rate)
        missed = np.log(rate)
        one_way = kept[:, None] - missed[None, :]
    table: rules.Table = np.fmax(one_way, one_way.T)
    np.clip(table, 0, np.float32(CAP), out=table)
    table[np.isnan(table)] = _DISCARDED
    table[0, :] = table[:, 0] = _DISCARDED
    table[0, 0] = CAP
    return table


def _example(u: Floats, r: Floats, table: rules.Table) -> float | str:
    """Return epsilon of one example from its two sorted samples [N], or the reason why it has none."""
    infinite = [math.isinf(sample[0]) or math.isinf(sample[-1]) for sample in (u, r)]
    if math.isnan(u[-1]) or math.isnan(r[-1]) or all(infinite):  # NaN is sorted to the end
        return NOT_FINITE
    if any(infinite):
        return CAP
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        pos, neg = (r, u) if _median(r) > _median(u) else (u, r)
        small, large = sorted((pos[-1] - pos[0], neg[-1] - neg[0]))
        if small / large < _MIN_RANGE_RATIO:
            return CAP
        thresholds = np.ceil((max(pos[-1], neg[-1]) - min(pos[0], neg[0])) * _PER_UNIT)
    if thresholds == 0:  # all values are one constant
        return 0.0
    if not thresholds <= _MAX_THRESHOLDS:
        return TOO_WIDE
    return _best_rule(pos, neg, int(thresholds), table)


def _median(ordered: Floats) -> Any:
    return (ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2]) / 2


def _best_rule(pos: Floats, neg: Floats, n_thresholds: int, table: rules.Table) -> float | str:
    """Return the largest epsilon over both families of rules; `pos` and `neg` are sorted."""
    narrow, wide = (pos, neg) if pos[-1] - pos[0] < neg[-1] - neg[0] else (neg, pos)
    best = max(
        rules.best_threshold(pos, neg, _thresholds(pos, neg, n_thresholds), table),
        rules.best_band(narrow, wide, _bands(narrow), table),
    )
    if best > _DISCARDED:
        return best
    return CAP if _disjoint(narrow, wide) else BELOW_GRID


def _thresholds(pos: Floats, neg: Floats, count: int) -> Floats:
    """Return the thresholds t of the rules "positive where x >= t": a float32 grid even for float64 data."""
    low, high = min(pos[0], neg[0]), max(pos[-1], neg[-1])
    grid: Floats = torch.linspace(float(low), float(high), count, dtype=torch.float32).numpy()
    grid.sort()  # rounding swaps neighbours where values are large
    return grid


def _bands(narrow: Floats) -> rules.Bands:
    """Return the bands of the rules "the narrower sample where l <= x <= r", in the data's type.

    About 400 right ends, and for each r numpy.linspace(r - width - 2, r - width + 2, 400) as left ends; row by row,
    since numpy.linspace over arrays rounds all rows otherwise once one row's ends coincide.
    """
    width = narrow[-1] - narrow[0]
    first, last = narrow[0] + width - _BUFFER, narrow[-1] + _BUFFER
    count = int(np.ceil((last - first) * _PER_UNIT))
    right = np.linspace(first, last, count, dtype=narrow.dtype)
    low, high = right - width - _BUFFER, right - width + _BUFFER
    step = (high - low) / (_LEFT_ENDS - 1)
    return rules.Bands(right, low, step, high, np.arange(_LEFT_ENDS, dtype=narrow.dtype))


def _disjoint(narrow: Floats, wide: Floats) -> bool:
    """Whether one sample has no member within the other's range, so that a finer grid would part them."""
    return any(not ((a[0] <= b) & (b <= a[-1])).any() for a, b in ((narrow, wide), (wide, narrow)))
