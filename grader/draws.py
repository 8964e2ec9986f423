"""The grade of random halves of the models, from which ceilings and intervals come.

Forgetting quality is no sum over models: each example's attack is the best of many, and a few extreme models decide
it. Three findings, from models simulated as in benchmarks/interval_coverage.py, shape how halves become replicates:

- One half varies around all halves less than a full sample varies around the truth: nominal 95 % intervals from that
  spread hold 80 to 94 %. Two disjoint halves are two independent repetitions at N / 2, and the spread of forgetting
  quality hardly falls between N / 2 and N, so their difference over sqrt(2) stands for the error at N; where models
  are too regular, forgetting quality grows with N and its spread with it.
- A mean over many halves varies much less than one full sample does. By Hoeffding's decomposition (A class of
  statistics with asymptotically normal distribution, 1948) its variance is that of the halves around it times
  2^-k / (1 - 2^-k) for a statistic of order k: 1 for sums over models, 1/3 for sums over pairs. Disjoint halves tell
  that share.
- U's and R's halves are drawn apart, so that no model of U is tied to a model of R.

So made, nominal 95 % intervals hold 91 to 100 % at N = 32, 128 and 512 and S = 60, whether unlearned models are
retrained, shifted, narrowed, winsorised or stratified ones; they are rather too wide than too narrow.
"""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader import checks, intervals, official, utility
from grader.checks import Floats, GradeError
from grader.types import ACCURACIES, ModelOutputs

Replicates = NDArray[np.float64]

_LEAST_SHARE = 1 / 3


@dataclass(frozen=True)
class Draws:
    """Numbers of the full sample, and what B half-subsamples gave.

    `forgetting_quality` is of U against R, `top` of the second reference against R, both at N; `top` is None
    without one, and so is `top_epsilon` [S], its epsilon on each example. `forgetting` [B, 2] is forgetting quality of two disjoint halves, each of U against one of R.
    `ceiling` is retrained against retrained models: R's halves against each other, [B, 1], or with a second
    reference its halves against R's, [B, 2]. `utility` is the product of both ratios at N; ratios [B] are those of
    the first halves. They are None while accuracies are unknown. `no_epsilon` counts examples of halves
    without an epsilon, left out of their half's mean. `reference` is a digest of the retrained models.
    """

    forgetting_quality: float
    top: float | None
    utility: float | None
    forgetting: Replicates
    ceiling: Replicates
    retain_ratio: Replicates | None
    test_ratio: Replicates | None
    n_models: int
    no_epsilon: int
    reference: str
    top_epsilon: Replicates | None = None

    @property
    def quality(self) -> Replicates:
        """Replicates [B] of forgetting quality at N."""
        return self.forgetting_quality + _error(self.forgetting, self.forgetting_quality)

    @property
    def score(self) -> Replicates | None:
        """Replicates [B] of the official score at N."""
        return self._times_utility(self.quality)

    @property
    def calibrated_forgetting(self) -> Replicates:
        """Replicates [B] of c = F / ceiling, linearised: c + (dF - c dC) / mean C. NaN where the ceiling is 0.

        With a second reference dF and dC are errors at N; without, of the means over halves.
        """
        top = mean(self.ceiling)
        if not top > 0:
            return np.full(len(self.forgetting), np.nan)
        if self.top is not None:
            c = self.forgetting_quality / self.top if self.top > 0 else math.nan
            errors = _error(self.forgetting, self.forgetting_quality), _error(self.ceiling, self.top)
            return c + (errors[0] - c * errors[1]) / top
        c = mean(self.forgetting) / top
        ratio = (self.forgetting[:, 0] - c * self.ceiling[:, 0]) / top
        return c + math.sqrt(_share(self.forgetting)) * (ratio - mean(ratio))

    @property
    def calibrated(self) -> Replicates | None:
        """Replicates [B] of the calibrated score."""
        return self._times_utility(self.calibrated_forgetting)

    def _times_utility(self, replicates: Replicates) -> Replicates | None:
        if self.retain_ratio is None or self.test_ratio is None:
            return None
        return replicates * self.retain_ratio * self.test_ratio


def draw(
    U: ModelOutputs,
    R: ModelOutputs,
    second: ModelOutputs | None = None,
    draws: int = intervals.DRAWS,
    seed: int = 0,
) -> Draws:
    """Grade random halves of the models: U against R, and retrained models against R.

    The retrained models in the unlearned ones' place are R's other half, or halves of `second`, N more retrained models.
    All hold N models and S examples each. Raises GradeError if they are not `comparable`, or if N is below
    intervals.MIN_MODELS.

    >>> rng = np.random.default_rng(0)
    >>> U, R = (ModelOutputs(rng.normal(size=(8, 2))) for _ in range(2))
    >>> draw(U, R, draws=5).forgetting.shape
    (5, 2)
    """
    comparable(U, R, second)
    theirs, ours, others = (intervals.halves(U.n_models, draws, seed + stream) for stream in range(3))
    forgetting = _graded(U, R, ours, theirs)
    ceiling = (
        _graded(R, R, theirs[:, 1:], theirs[:, :1]) if second is None else _graded(second, R, others, theirs)
    )
    ratios = [
        _ratios(getattr(U, name), getattr(R, name), ours, theirs)
        for name in ("retain_accuracy", "test_accuracy")
    ]
    top = None if second is None else official.epsilons(second.confidence, R.confidence).epsilon
    return Draws(
        forgetting_quality=official.forgetting_quality(_points(U.confidence, R.confidence)),
        top=None if top is None else official.forgetting_quality(official.points(top, U.n_models)),
        utility=_utility(U, R),
        forgetting=forgetting[0],
        ceiling=ceiling[0],
        retain_ratio=ratios[0],
        test_ratio=ratios[1],
        n_models=U.n_models,
        no_epsilon=forgetting[1] + ceiling[1],
        reference=_digest(R, second),
        top_epsilon=top,
    )


def comparable(U: ModelOutputs, R: ModelOutputs, second: ModelOutputs | None = None) -> None:
    """Raise GradeError unless all hold as many models and examples as each other, and no more than can be graded.

    Accuracies of U and R must both be shares or both percentages, which are told by a value above 1.

    >>> comparable(ModelOutputs(np.zeros((3, 2))), ModelOutputs(np.zeros((3, 2))), ModelOutputs(np.zeros((4, 2))))
    Traceback (most recent call last):
        ...
    grader.checks.GradeError: second has 4 models of 2 examples; R has 3 models of 2
    """
    checks.confidence_pair(U.confidence, R.confidence)
    if second is not None and second.confidence.shape != R.confidence.shape:
        raise GradeError(
            f"second has {second.n_models} models of {second.n_examples} examples; "
            f"R has {R.n_models} models of {R.n_examples}"
        )
    for name in ACCURACIES:
        unlearned, retrained = getattr(U, name), getattr(R, name)
        if unlearned is not None and retrained is not None:
            _one_unit(name, float(unlearned.max()), float(retrained.max()))


def mean(values: Replicates) -> float:
    """Return the mean of those that are numbers; NaN if none is.

    >>> mean(np.array([1.0, np.nan, 2.0]))
    1.5
    """
    numbers = values[np.isfinite(values)]
    return float(numbers.mean()) if numbers.size else math.nan


def _graded(
    U: ModelOutputs, R: ModelOutputs, ours: intervals.Halves, theirs: intervals.Halves
) -> tuple[Replicates, int]:
    """Return forgetting quality of each half of U against the half of R in the same place, and examples left out."""
    pairs = zip(ours.reshape(-1, ours.shape[-1]), theirs.reshape(-1, theirs.shape[-1]), strict=True)
    found = [_points(U.confidence[u], R.confidence[r]) for u, r in pairs]
    without = sum(int(np.isnan(awarded).sum()) for awarded in found)
    return np.array([mean(awarded) for awarded in found]).reshape(ours.shape[:2]), without


def _points(u: Floats, r: Floats) -> Replicates:
    return official.points(official.epsilons(u, r).epsilon, u.shape[0])


def _utility(U: ModelOutputs, R: ModelOutputs) -> float | None:
    kept = 1.0
    for name in ("retain_accuracy", "test_accuracy"):
        unlearned, retrained = getattr(U, name), getattr(R, name)
        if unlearned is None or retrained is None:
            return None
        kept *= utility.ratio(unlearned, retrained, name)
    return kept


def _one_unit(name: str, unlearned: float, retrained: float) -> None:
    if (unlearned > 1) != (retrained > 1):
        raise GradeError(
            f"{name} reaches {unlearned:g} in U and {retrained:g} in R; both must be shares, or both percentages"
        )


def _ratios(
    unlearned: Replicates | None,
    retrained: Replicates | None,
    ours: intervals.Halves,
    theirs: intervals.Halves,
) -> Replicates | None:
    if unlearned is None or retrained is None:
        return None
    pairs = zip(ours[:, 0], theirs[:, 0], strict=True)
    return np.array([utility.ratio(unlearned[u], retrained[r]) for u, r in pairs])


def _error(pairs: Replicates, full: float) -> Replicates:
    """Return the error [B] of one full sample, as told by two disjoint halves [B, 2]; more if its value has grown."""
    grown = full / half if (half := mean(pairs)) > 0 else 1.0
    error: Replicates = max(1.0, grown) * (pairs[:, 0] - pairs[:, 1]) / math.sqrt(2)
    return error


def _share(pairs: Replicates) -> float:
    """Return the variance of the mean over halves, over that of one half around it, from disjoint halves [B, 2]."""
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if len(pairs) < 2:
        return 1.0
    covariance = np.cov(pairs, rowvar=False)
    variance = float(np.trace(covariance)) / 2
    return float(np.clip(-covariance[0, 1] / variance, _LEAST_SHARE, 1)) if variance > 0 else 1.0


def _digest(R: ModelOutputs, second: ModelOutputs | None) -> str:
    digest = hashlib.sha256()
    for outputs in (R, second):
        if outputs is not None:
            digest.update(np.ascontiguousarray(outputs.confidence, np.float64).tobytes())
    return digest.hexdigest()
