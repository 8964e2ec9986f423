"""Two submissions side by side, through the same half-subsamples of the models."""

from dataclasses import dataclass

import numpy as np

from grader import intervals
from grader.ceiling import ceiling
from grader.checks import GradeError
from grader.draws import Draws, Replicates
from grader.intervals import Interval


@dataclass(frozen=True)
class Difference:
    """First less second, its 95 % interval, and whether that interval leaves out 0."""

    difference: float
    interval: Interval
    separated: bool


@dataclass(frozen=True)
class Comparison:
    """Paired differences; None where one of the two does not know the number."""

    score: Difference | None
    forgetting_quality: Difference
    calibrated_score: Difference | None


def compare(first: Draws, second: Draws) -> Comparison:
    """Return how the first submission differs from the second, both graded by the same halves of the same models.

    Raises GradeError if N, the number of draws or the retrained models differ.

    >>> from grader.draws import draw
    >>> from grader.types import ModelOutputs
    >>> rng = np.random.default_rng(0)
    >>> R, close, far = (ModelOutputs(rng.normal(place, 1, (32, 20))) for place in (0, 0, 2))
    >>> compare(*(draw(U, R, draws=12) for U in (close, far))).forgetting_quality.separated
    True
    """
    _comparable(first, second)
    calibrated = [ceiling(drawn).calibrated_score for drawn in (first, second)]
    return Comparison(
        score=_known(_score(first), first.score, _score(second), second.score),
        forgetting_quality=difference(
            first.forgetting_quality, first.quality, second.forgetting_quality, second.quality
        ),
        calibrated_score=_known(calibrated[0], first.calibrated, calibrated[1], second.calibrated),
    )


def difference(first: float, replicates: object, second: float, others: object) -> Difference:
    """Return first - second with the interval of the paired replicates [draws] and [draws].

    The interval is first - second +- t sd(replicates - others): what both have in common, the retrained
    models, cancels. Draws that are NaN in one of the two are left out.

    >>> difference(0.5, np.array([0.4, 0.5, 0.6]), 0.2, np.array([0.1, 0.2, 0.31])).separated
    True
    """
    ours, theirs = np.asarray(replicates, np.float64), np.asarray(others, np.float64)
    if ours.shape != theirs.shape:
        raise GradeError(f"replicates must be as many in both: found {ours.shape} and {theirs.shape}")
    gap = first - second
    found = intervals.interval(gap, ours - theirs)
    return Difference(gap, found, separated=found.low > 0 or found.high < 0)


def _score(drawn: Draws) -> float | None:
    return None if drawn.utility is None else drawn.forgetting_quality * drawn.utility


def _known(
    first: float | None, ours: Replicates | None, second: float | None, theirs: Replicates | None
) -> Difference | None:
    if first is None or second is None or ours is None or theirs is None:
        return None
    return difference(first, ours, second, theirs)


def _comparable(first: Draws, second: Draws) -> None:
    if first.n_models != second.n_models:
        raise GradeError(f"N differs: {first.n_models} and {second.n_models} models cannot be compared")
    if len(first.forgetting) != len(second.forgetting):
        raise GradeError(f"draws differ: {len(first.forgetting)} and {len(second.forgetting)}")
    if first.reference != second.reference:
        raise GradeError("the submissions were graded against different retrained models")
