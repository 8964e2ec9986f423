"""How long the runs took, beside the time they were allowed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader import checks
from grader.checks import GradeError


@dataclass(frozen=True)
class Timing:
    """Wall seconds of each run [N] and their share of its cutoff [N], above 1 for a run that passed it.

    `cutoff` is the median of the runs' cutoffs, which differ where several devices took part.
    """

    seconds: NDArray[np.float64]
    share_of_cutoff: NDArray[np.float64]
    cutoff: float
    median: float
    longest: float


def timing(seconds: object, cutoff: object, n_models: int | None = None) -> Timing:
    """Return the times of the runs, [N] seconds, against a cutoff in seconds: one for all, or each run's own [N].

    Raises GradeError for times that are negative or not finite, for a cutoff that is not a positive number,
    and, where `n_models` is given, for another number of runs.

    >>> found = timing(np.array([1.0, 2.0, 6.0]), cutoff=8.0)
    >>> found.share_of_cutoff, found.median, found.longest
    (array([0.125, 0.25 , 0.75 ]), 2.0, 6.0)
    """
    taken = checks.floats("seconds", seconds, 1).astype(np.float64)
    checks.finite("seconds", taken)
    if taken.min() < 0:
        raise GradeError(f"seconds must not be negative; it holds {taken.min():g}")
    if n_models is not None and taken.size != n_models:
        raise GradeError(f"seconds holds {taken.size} runs and there are {n_models} models")
    allowed = _cutoffs(cutoff, taken.size)
    median, longest = float(np.median(taken)), float(taken.max())
    return Timing(taken, taken / allowed, float(np.median(allowed)), median, longest)


def _cutoffs(cutoff: object, runs: int) -> NDArray[np.float64]:
    """Return each run's cutoff [N]."""
    given = np.asarray(cutoff, dtype=np.float64)
    if given.shape not in {(), (runs,)}:
        raise GradeError(
            f"cutoff has shape {given.shape}; it must be one number, or one for each of {runs} runs"
        )
    wrong = given[~(np.isfinite(given) & (given > 0))]
    if wrong.size:
        raise GradeError(f"cutoff is {wrong.flat[0]} seconds; it must be a positive number")
    return np.broadcast_to(given, runs)
