"""What retraining itself would have scored, and scores measured by it.

The official forgetting quality of retrained against other retrained models is far from 1 and depends on N, so the
ceiling is taken at the same N as the number it measures.
"""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader import checks, intervals, official, utility
from grader.checks import Floats, GradeError
from grader.types import ModelOutputs

Draw = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """What each half-subsample of the models gave; every array is [B], one number for each draw.

    `forgetting` and `ceiling` are forgetting quality of unlearned and of retrained models against one and the same half
    of R. Ratios are those of the halves, None while accuracies are unknown. `no_epsilon` counts examples of
    halves without an epsilon, left out of their half's mean. `reference` is a digest of the retrained models.
    """

    forgetting: Draw
    ceiling: Draw
    retain_ratio: Draw | None
    test_ratio: Draw | None
    n_models: int
    no_epsilon: int
    reference: str

    @property
    def utility(self) -> Draw | None:
        """Product of both ratios, [B]."""
        return (
            None
            if self.retain_ratio is None or self.test_ratio is None
            else self.retain_ratio * self.test_ratio
        )

    @property
    def score(self) -> Draw | None:
        """Official score of each half, [B]."""
        return None if self.utility is None else self.forgetting * self.utility

    @property
    def calibrated_forgetting(self) -> Draw:
        """Forgetting quality over the ceiling, [B], linearised: c + (F_b - c C_b) / mean C, with c = mean F / mean C.

        Its mean is c and its spread that of a ratio of means; NaN where the ceiling is 0.
        """
        top = _mean(self.ceiling)
        if not top > 0:
            return np.full_like(self.forgetting, np.nan)
        c = _mean(self.forgetting) / top
        return c + (self.forgetting - c * self.ceiling) / top

    @property
    def calibrated(self) -> Draw | None:
        """Calibrated score of each half, [B]."""
        return None if self.utility is None else self.calibrated_forgetting * self.utility


@dataclass(frozen=True)
class Ceiling:
    """Forgetting quality measured by that of retraining, both at the same number of models.

    `forgetting_quality` is of retrained against retrained, `unlearned` of unlearned against retrained models, each
    at `n_models`. Calibrated forgetting is their ratio, 1 where nothing tells unlearning from retraining; the calibrated
    score is it times both utility ratios. Both are None with a `reason` where they cannot be had.
    """

    forgetting_quality: float
    unlearned: float
    calibrated_forgetting: float | None
    calibrated_score: float | None
    n_models: int
    second_reference: bool
    reason: str | None


def draw(
    U: ModelOutputs,
    R: ModelOutputs,
    second: ModelOutputs | None = None,
    draws: int = intervals.DRAWS,
    seed: int = 0,
) -> Draws:
    """Grade random halves of the models: U against R, and retrained models against the same half of R.

    The retrained models in the unlearned ones' place are R's other half, or a half of `second`, N more retrained models.
    All hold N models and S examples each. Raises GradeError if not, or if N is below intervals.MIN_MODELS.

    >>> rng = np.random.default_rng(0)
    >>> U, R = (ModelOutputs(rng.normal(size=(8, 2))) for _ in range(2))
    >>> draw(U, R, draws=5).forgetting.shape
    (5,)
    """
    _same_sizes(U, R, second)
    ours, theirs = (intervals.halves(U.n_models, draws, seed + stream)[:, 0] for stream in (1, 2))
    retrained = intervals.halves(R.n_models, draws, seed)
    others = retrained[:, 1] if second is None else theirs
    more = R if second is None else second
    forgetting = [_half(U, R, u, r) for u, (r, _) in zip(ours, retrained, strict=True)]
    ceiling = [_half(more, R, other, r) for other, (r, _) in zip(others, retrained, strict=True)]
    return Draws(
        forgetting=np.array([quality for quality, _ in forgetting]),
        ceiling=np.array([quality for quality, _ in ceiling]),
        retain_ratio=_ratios(U.retain_accuracy, R.retain_accuracy, ours, retrained[:, 0]),
        test_ratio=_ratios(U.test_accuracy, R.test_accuracy, ours, retrained[:, 0]),
        n_models=U.n_models,
        no_epsilon=sum(without for _, without in forgetting + ceiling),
        reference=_digest(R, second),
    )


def ceiling(U: ModelOutputs, R: ModelOutputs, drawn: Draws, second: ModelOutputs | None = None) -> Ceiling:
    """Return forgetting quality measured by that of retraining.

    With N more retrained models as `second`, both are taken at N. Without, both are means over halves of N // 2 models.
    """
    if second is None:
        top, found, n_models = _mean(drawn.ceiling), _mean(drawn.forgetting), U.n_models // 2
    else:
        top, found, n_models = _quality(second, R), _quality(U, R), U.n_models
    forgetting = found / top if top > 0 else math.nan
    kept = _utility(U, R)
    return Ceiling(
        forgetting_quality=top,
        unlearned=found,
        calibrated_forgetting=None if math.isnan(forgetting) else forgetting,
        calibrated_score=None if kept is None or math.isnan(forgetting) else forgetting * kept,
        n_models=n_models,
        second_reference=second is not None,
        reason=_reason(found, top, kept),
    )


def _reason(found: float, top: float, kept: float | None) -> str | None:
    if math.isnan(found) or math.isnan(top):
        return "an example has no epsilon"
    if top == 0:
        return "retrained models have no points against each other"
    return "accuracies are not known" if kept is None else None


def _half(U: ModelOutputs, R: ModelOutputs, u: intervals.Halves, r: intervals.Halves) -> tuple[float, int]:
    """Return forgetting quality of one half against another, and how many examples it leaves out."""
    awarded = _points(U.confidence[u], R.confidence[r])
    has = np.isfinite(awarded)
    return (float(awarded[has].mean()) if has.any() else math.nan), int((~has).sum())


def _quality(U: ModelOutputs, R: ModelOutputs) -> float:
    return official.forgetting_quality(_points(U.confidence, R.confidence))


def _points(u: Floats, r: Floats) -> Draw:
    return official.points(official.epsilons(u, r).epsilon, u.shape[0])


def _ratios(
    unlearned: Draw | None, retrained: Draw | None, ours: intervals.Halves, theirs: intervals.Halves
) -> Draw | None:
    if unlearned is None or retrained is None:
        return None
    return np.array([utility.ratio(unlearned[u], retrained[r]) for u, r in zip(ours, theirs, strict=True)])


def _utility(U: ModelOutputs, R: ModelOutputs) -> float | None:
    kept = 1.0
    for unlearned, retrained in (
        (U.retain_accuracy, R.retain_accuracy),
        (U.test_accuracy, R.test_accuracy),
    ):
        if unlearned is None or retrained is None:
            return None
        kept *= utility.ratio(unlearned, retrained)
    return kept


def _mean(values: Draw) -> float:
    """Return the mean of those that are numbers; NaN if none is."""
    numbers = values[np.isfinite(values)]
    return float(numbers.mean()) if numbers.size else math.nan


def _same_sizes(U: ModelOutputs, R: ModelOutputs, second: ModelOutputs | None) -> None:
    checks.confidence_pair(U.confidence, R.confidence)
    if second is not None and second.confidence.shape != R.confidence.shape:
        raise GradeError(
            f"second has {second.n_models} models of {second.n_examples} examples; "
            f"R has {R.n_models} models of {R.n_examples}"
        )


def _digest(R: ModelOutputs, second: ModelOutputs | None) -> str:
    digest = hashlib.sha256()
    for outputs in (R, second):
        if outputs is not None:
            digest.update(np.ascontiguousarray(outputs.confidence, np.float64).tobytes())
    return digest.hexdigest()
