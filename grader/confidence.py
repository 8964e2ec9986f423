"""From logits to one number a model and example: the log-odds of the true class."""

import numpy as np
from numpy.typing import NDArray

from grader import checks

_TINY = 1e-45  # keeps both logarithms finite; the range is therefore +-103.616329


def confidence(logits: object, labels: object) -> NDArray[np.float64]:
    """Return log(p) - log(q), p the softmax probability of the true class and q the sum of the others.

    `logits` is [..., S, C], float32 or float64, and is left as it is; `labels` is [S], class numbers.
    The result is float64, [..., S], within +-103.616329; a row that holds NaN or +infinity gives NaN.
    The exponential is taken in the type of `logits` and the rest in float64, as the NeurIPS 2023
    unlearning competition did. Raises GradeError for bad shapes, types or labels.

    >>> confidence(np.array([[0.0, 0.0, np.log(2.0)]]), [2])
    array([0.])
    >>> confidence(np.array([[0.0, 1e4]]), [1]).round(6)
    array([103.616329])
    """
    rank = max(np.ndim(logits), 2)  # type: ignore[arg-type]
    values = np.ascontiguousarray(checks.floats("logits", logits, rank))
    chosen = checks.labels(labels, values.shape[-2], values.shape[-1])
    with np.errstate(invalid="ignore"):
        shifted = values - values.max(axis=-1, keepdims=True)
    probabilities = np.exp(shifted).astype(np.float64)
    probabilities /= probabilities.sum(axis=-1, keepdims=True)
    rows = np.arange(chosen.size)
    true = probabilities[..., rows, chosen]
    probabilities[..., rows, chosen] = 0.0
    odds: NDArray[np.float64] = np.log(true + _TINY) - np.log(probabilities.sum(axis=-1) + _TINY)
    return odds
