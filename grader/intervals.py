"""Intervals by half-subsampling: what a number would do had other models been trained."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from grader import checks
from grader.checks import GradeError

LEVEL = 0.95
DRAWS = 48
MIN_MODELS = 6  # halves of three models are the least that have points

Halves = NDArray[np.intp]


@dataclass(frozen=True)
class Interval:
    """Both ends of an interval that should hold the true value in 95 of 100 repetitions."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """High less low."""
        return self.high - self.low


def halves(n_models: int, draws: int, seed: int = 0) -> Halves:
    """Return two disjoint random halves of N models for each draw, [draws, 2, N // 2] model numbers.

    An odd model sits out, another one in each draw. The same arguments always give the same halves, so that two
    submissions are seen through the same ones. Raises GradeError for N below MIN_MODELS or fewer than two draws.

    >>> halves(7, 2).shape
    (2, 2, 3)
    >>> halves(4, 2)
    Traceback (most recent call last):
        ...
    grader.checks.GradeError: N is 4; halves of at least 3 models need N = 6 or more
    """
    if n_models < MIN_MODELS:
        raise GradeError(
            f"N is {n_models}; halves of at least {MIN_MODELS // 2} models need N = {MIN_MODELS} or more"
        )
    enough(draws)
    rng = np.random.default_rng((seed, n_models))
    half = n_models // 2
    return np.stack([rng.permutation(n_models)[: 2 * half].reshape(2, half) for _ in range(draws)])


def enough(draws: int) -> None:
    """Raise GradeError for fewer than two draws.

    >>> enough(1)
    Traceback (most recent call last):
        ...
    grader.checks.GradeError: draws is 1; an interval needs at least 2
    """
    if draws < 2:
        raise GradeError(f"draws is {draws}; an interval needs at least 2")


def interval(estimate: float, replicates: object, freedom: float = math.inf) -> Interval:
    """Return the 95 % interval of an estimate from its replicates [draws], one for each half-subsample.

    estimate +- t sd(replicates), with Student's t at draws - 1 degrees of freedom, or `freedom` where that is less:
    of a sum over N models, any number of halves knows no more than N - 1 numbers do. For sums over models a half
    drawn without replacement varies around the full sample exactly as that varies around the truth (Politis,
    Romano: Large sample confidence regions based on subsamples, Annals of Statistics 1994); grader.draws says how
    halves become replicates of what is no sum.
    Replicates that are NaN are left out; with fewer than two left, both ends are NaN.

    >>> round(interval(0.5, np.array([0.4, 0.5, 0.6])).low, 3)
    0.07
    """
    values = checks.floats("replicates", replicates, 1)
    values = values[np.isfinite(values)]
    if values.size < 2:
        return Interval(math.nan, math.nan)
    quantile = stats.t.ppf((1 + LEVEL) / 2, min(values.size - 1, freedom))
    reach = float(quantile * values.std(ddof=1, dtype=np.float64))
    return Interval(estimate - reach, estimate + reach)


def models_needed(n_models: int, found: Interval, width: float) -> int | None:
    """Return the least N at which an interval found at `n_models` could be as narrow as `width`; None if it has no ends.

    It takes widths to shrink as 1 / sqrt(N), which is the best that can be hoped for; around retraining itself that of
    forgetting quality hardly shrinks, and no N may be enough.

    >>> models_needed(32, Interval(0.1, 0.2), 0.05)
    128
    """
    if not width > 0:
        raise GradeError(f"width is {width}; it must be above 0")
    if not math.isfinite(found.width):
        return None
    return max(1, math.ceil(n_models * (found.width / width) ** 2 * (1 - 1e-9)))
