"""Two submissions side by side, through the same half-subsamples of the models."""

import math
from dataclasses import dataclass

import numpy as np

from grader import intervals
from grader.ceiling import Draw, Draws
from grader.checks import GradeError
from grader.intervals import Interval


@dataclass(frozen=True)
class Entry:
    """The headline numbers of one submission and their draws; None is not known."""

    score: float | None
    forgetting_quality: float
    calibrated_score: float | None
    draws: Draws


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


def compare(first: Entry, second: Entry) -> Comparison:
    """Return how the first submission differs from the second, graded against the same retrained models.

    Raises GradeError if N, the number of draws or the retrained models differ.
    """
    _comparable(first.draws, second.draws)
    return Comparison(
        score=_known(first.score, first.draws.score, second.score, second.draws.score),
        forgetting_quality=difference(
            first.forgetting_quality,
            first.draws.forgetting,
            second.forgetting_quality,
            second.draws.forgetting,
        ),
        calibrated_score=_known(
            first.calibrated_score, first.draws.calibrated, second.calibrated_score, second.draws.calibrated
        ),
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


def _known(
    first: float | None, ours: Draw | None, second: float | None, theirs: Draw | None
) -> Difference | None:
    if first is None or second is None or ours is None or theirs is None:
        return None
    if math.isnan(first) or math.isnan(second):
        return None
    return difference(first, ours, second, theirs)


def _comparable(first: Draws, second: Draws) -> None:
    if first.n_models != second.n_models:
        raise GradeError(f"N differs: {first.n_models} and {second.n_models} models cannot be compared")
    if first.forgetting.size != second.forgetting.size:
        raise GradeError(f"draws differ: {first.forgetting.size} and {second.forgetting.size}")
    if first.reference != second.reference:
        raise GradeError("the submissions were graded against different retrained models")
