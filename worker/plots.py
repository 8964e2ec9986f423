"""From a report to what its plots are drawn from: small, whatever N and the number of examples."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from grader.report import Report, plain

CAP = 50.0
STEP = 0.5
"""Points halve with each step of epsilon, so that the bars of a histogram are the classes of points."""


def plots_of(graded: Report) -> dict[str, Any]:
    """Return a report's plots in the form of app.plots.Plots."""
    attack = graded.membership
    found = {
        "models": graded.n_models,
        "examples": graded.n_examples,
        "epsilon": _epsilon(graded),
        "roc": None if attack is None else attack.roc,
        "telling": graded.telling,
    }
    written = plain(found)
    assert isinstance(written, dict)
    return written


def _epsilon(graded: Report) -> dict[str, Any]:
    """Count examples by epsilon: between the edges, from the last edge on, and at the cap."""
    edges = _edges(graded.n_models)
    retraining = None if graded.ceiling is None else graded.ceiling.epsilon
    return {
        "edges": edges,
        "unlearned": _counts(graded.official.epsilon, edges),
        "retrained": None if retraining is None else _counts(retraining, edges),
    }


def _edges(n_models: int) -> list[float]:
    """Return 0, 0.5 and so on to where points end.

    >>> _edges(4)
    [0.0, 0.5, 1.0, 1.5, 2.0]
    """
    end = max(1, math.ceil(math.log(n_models - 1))) if n_models > 2 else 1
    return [STEP * index for index in range(round(end / STEP) + 1)]


def _counts(epsilon: ArrayLike, edges: list[float]) -> list[int]:
    """Return as many counts as there are edges, and one more.

    >>> _counts([0.0, 0.49, 0.5, 1.0, 49.0, 50.0], [0.0, 0.5, 1.0])
    [2, 1, 2, 1]
    """
    known = np.asarray(epsilon, np.float64)
    found, _ = np.histogram(known[known < CAP], bins=[*edges, math.inf])
    return [*found.tolist(), int((known >= CAP).sum())]
