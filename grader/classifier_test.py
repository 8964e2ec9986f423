"""Whether a small classifier can tell unlearned from retrained models by all their logits on one example."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from grader import checks
from grader.checks import GradeError

_CHUNK = 2**22  # numbers of one array held at once: 32 MB

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Classified:
    """For each example, float64 [S]: held-out accuracy of the classifier, and its p value."""

    accuracy: Array
    p: Array


def classify(U_logits: object, R_logits: object) -> Classified:
    """Return the classifier two-sample test of logits [N, S, C] for each example.

    Source: Lopez-Paz & Oquab 2017, ICLR. The classifier is a ridge regression of the group (+1 unlearned, -1
    retrained) on the C logits and their absolute deviations from the mean, so that a change of spread is seen
    as well as a shift. It learns on one half of the models and is judged on the other, and then the other way
    round; `accuracy` is the mean of both.

    Judged on models it has not seen, a half's number of hits has a binomial p value (never too small, also
    where the classifier favours one group: Hoeffding 1956, Ann. Math. Stat. 27). The two halves' hits are not
    independent, since each half is the other's lesson, so their p values are not pooled: `p` is twice the
    lesser one (Bonferroni).

    Halves are the first and the last models: their order must not carry meaning. Raises GradeError for N = 1,
    shapes that differ, or logits that are not finite.

    >>> rng = np.random.default_rng(0)
    >>> U, R = rng.normal(size=(2, 32, 2, 3))
    >>> U[:, 1] += 9
    >>> found = classify(U, R)
    >>> found.accuracy[1], bool(found.p[1] < 1e-6), bool(found.p[0] > 0.05)
    (np.float64(1.0), True, True)
    """
    U, R = checks.floats("U_logits", U_logits, 3), checks.floats("R_logits", R_logits, 3)
    if U.shape != R.shape:
        raise GradeError(
            f"U_logits has shape {U.shape} and R_logits {R.shape}; they must be alike, [N, S, C]"
        )
    if U.shape[0] < 2:
        raise GradeError("logits of 1 model cannot be halved; the classifier test needs at least 2 models")
    checks.finite("U_logits", U)
    checks.finite("R_logits", R)
    size = max(1, _CHUNK // (4 * U.shape[0] * U.shape[2]))
    starts = range(0, U.shape[1], size)
    parts = [_classify(U[:, start : start + size], R[:, start : start + size]) for start in starts]
    accuracy, p = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Classified(accuracy, p)


def _classify(U: checks.Floats, R: checks.Floats) -> tuple[Array, Array]:
    """Return accuracy and p of a few examples."""
    half = U.shape[0] // 2
    halves = [
        tuple(_by_example(group[part]) for group in (U, R)) for part in (slice(half), slice(half, None))
    ]
    sizes = [2 * pair[0].shape[1] for pair in halves]
    hits = [_hits(*halves[1 - judge], *halves[judge]) for judge in (0, 1)]
    p = [stats.binom.sf(found - 1, size, 0.5) for found, size in zip(hits, sizes, strict=True)]
    accuracy = (hits[0] / sizes[0] + hits[1] / sizes[1]) / 2
    return accuracy, np.minimum(1.0, 2 * np.minimum(*p))


def _by_example(logits: checks.Floats) -> Array:
    return np.ascontiguousarray(logits.transpose(1, 0, 2), dtype=np.float64)


def _hits(U_seen: Array, R_seen: Array, U_new: Array, R_new: Array) -> NDArray[np.int64]:
    """Learn on the seen models and count the new ones told rightly, ties taken for retrained; all [s, n, C]."""
    seen = np.concatenate([U_seen, R_seen], axis=1)
    n = U_seen.shape[1]
    mean, scale = seen.mean(axis=1, keepdims=True), _scale(seen)

    def features(logits: Array) -> Array:
        standard = (logits - mean) / scale
        return np.concatenate([standard, np.abs(standard)], axis=2)

    told = features(seen)
    centre, unit = told.mean(axis=1, keepdims=True), _scale(told)
    weights = _ridge((told - centre) / unit, np.repeat([1.0, -1.0], n))
    U_score, R_score = (((features(new) - centre) / unit) @ weights for new in (U_new, R_new))
    hits: NDArray[np.int64] = (U_score > 0).sum(axis=(1, 2)) + (R_score <= 0).sum(axis=(1, 2))
    return hits


def _scale(values: Array) -> Array:
    """Return the standard deviation over models, and 1 where it is 0."""
    deviation: Array = values.std(axis=1, keepdims=True)
    return np.where(deviation > 0, deviation, 1.0)


def _ridge(X: Array, y: Array) -> Array:
    """Return weights [s, D, 1] that minimise |X w - y|^2 + D |w|^2, by the smaller of two equal systems."""
    n, D = X.shape[1:]
    across, target = X.transpose(0, 2, 1), np.broadcast_to(y[:, None], (len(X), n, 1))
    if n <= D:
        return across @ np.linalg.solve(X @ across + D * np.eye(n), target)
    return np.linalg.solve(across @ X + D * np.eye(D), across @ target)
