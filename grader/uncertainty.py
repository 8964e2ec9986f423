"""How sure the headline numbers of one submission are."""

import math
from dataclasses import dataclass

import numpy as np

from grader import intervals
from grader.ceiling import Ceiling
from grader.draws import Draws, Replicates
from grader.intervals import Interval

WIDTH = 0.01  # an interval this wide parts most neighbours on a leaderboard
_DIGITS = 6


@dataclass(frozen=True)
class Uncertainty:
    """95 % intervals of the headline numbers over `draws` half-subsamples; None where a number is not known.

    Replicates are what the intervals came from, one for each draw, so that two submissions can be compared later
    (comparison.difference). `models_needed` is the least N at which the interval of the score, or of forgetting quality
    without accuracies, could be as narrow as WIDTH (see intervals.models_needed). `no_epsilon` counts examples of halves that had to be left out.
    """

    level: float
    draws: int
    score: Interval | None
    forgetting_quality: Interval
    retain_ratio: Interval | None
    test_ratio: Interval | None
    calibrated_score: Interval | None
    replicates_score: tuple[float, ...] | None
    replicates_calibrated: tuple[float, ...] | None
    models_needed: int | None
    no_epsilon: int


def uncertainty(
    drawn: Draws, found: Ceiling, forgetting_quality: float, retain_ratio: float, test_ratio: float
) -> Uncertainty:
    """Return the intervals around the official forgetting quality and ratios, and around the calibrated score.

    Ratios that are not known are NaN.

    >>> from grader.ceiling import ceiling, draw
    >>> from grader.types import ModelOutputs
    >>> rng = np.random.default_rng(0)
    >>> U, R = (ModelOutputs(rng.normal(size=(16, 20)), np.ones(16), np.ones(16)) for _ in range(2))
    >>> drawn = draw(U, R, draws=12)
    >>> found = uncertainty(drawn, ceiling(drawn), drawn.forgetting_quality, 1.0, 1.0)
    >>> found.forgetting_quality.low < drawn.forgetting_quality < found.forgetting_quality.high
    True
    >>> found.test_ratio
    Interval(low=1.0, high=1.0)
    """
    score = _interval(forgetting_quality * retain_ratio * test_ratio, drawn.score)
    quality = intervals.interval(forgetting_quality, drawn.quality)
    calibrated = None if found.calibrated_score is None else drawn.calibrated
    return Uncertainty(
        level=intervals.LEVEL,
        draws=len(drawn.forgetting),
        score=score,
        forgetting_quality=quality,
        retain_ratio=_interval(retain_ratio, drawn.retain_ratio, drawn.n_models - 1),
        test_ratio=_interval(test_ratio, drawn.test_ratio, drawn.n_models - 1),
        calibrated_score=_interval(found.calibrated_score, calibrated),
        replicates_score=_rounded(drawn.score),
        replicates_calibrated=_rounded(calibrated),
        models_needed=intervals.models_needed(drawn.n_models, score or quality, WIDTH),
        no_epsilon=drawn.no_epsilon,
    )


def _interval(
    estimate: float | None, replicates: Replicates | None, freedom: float = math.inf
) -> Interval | None:
    return (
        None if estimate is None or replicates is None else intervals.interval(estimate, replicates, freedom)
    )


def _rounded(replicates: Replicates | None) -> tuple[float, ...] | None:
    return None if replicates is None else tuple(np.round(replicates, _DIGITS).tolist())
