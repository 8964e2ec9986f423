"""How much of the retrained models' accuracy the unlearned ones keep."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from grader import checks
from grader.checks import GradeError
from grader.types import ModelOutputs

LEVEL = 0.95

Accuracies = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over models, and its 95 % interval from `low` to `high`, NaN with a single model."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Accuracy:
    """Accuracy of both groups on one set of images, and the gap, unlearned minus retrained, as shares."""

    unlearned: Estimate
    retrained: Estimate
    gap: Estimate


@dataclass(frozen=True)
class Utility:
    """Accuracy on each set; None where it is unknown for either group, and so is `tug_of_war` if any is."""

    retain: Accuracy | None
    test: Accuracy | None
    forget: Accuracy | None
    tug_of_war: float | None


def ratio(unlearned: object, retrained: object, name: str = "accuracy") -> float:
    """Return mean accuracy of the unlearned models [N] over that of the retrained ones [M].

    It may exceed 1, as in the official score. Raises GradeError if retrained accuracy, called `name`, is 0 on average.

    >>> ratio(np.array([0.5, 0.25]), np.array([0.75, 0.75]))
    0.5
    """
    top = float(np.mean(checks.floats("unlearned accuracy", unlearned, 1), dtype=np.float64))
    bottom = float(np.mean(checks.floats("retrained accuracy", retrained, 1), dtype=np.float64))
    if bottom == 0:
        raise GradeError(
            f"{name} of the retrained models is 0 on average; it must be above 0 to compare with"
        )
    return top / bottom


def score(forgetting_quality: float, retain_ratio: float, test_ratio: float) -> float:
    """Return the official score: forgetting quality times both utility ratios.

    >>> score(0.5, 0.5, 1.0)
    0.25
    """
    return forgetting_quality * retain_ratio * test_ratio


def panel(U: ModelOutputs, R: ModelOutputs) -> Utility | None:
    """Return accuracies on the retain, test and forget sets, or None if none is known of both groups.

    Raises GradeError for an accuracy above 1: here they must be shares, not percentages.

    >>> U, R = (ModelOutputs(np.zeros((3, 1)), *np.full((3, 3), a)) for a in (0.75, 1.0))
    >>> panel(U, R).test.gap
    Estimate(mean=-0.25, low=-0.25, high=-0.25)
    >>> panel(U, R).tug_of_war == 0.75**3
    True
    """
    retain = _accuracy("retain_accuracy", U.retain_accuracy, R.retain_accuracy)
    test = _accuracy("test_accuracy", U.test_accuracy, R.test_accuracy)
    forget = _accuracy("forget_accuracy", U.forget_accuracy, R.forget_accuracy)
    known = [one for one in (retain, test, forget) if one is not None]
    if not known:
        return None
    tug = tug_of_war(*(one.gap.mean for one in known)) if len(known) == 3 else None
    return Utility(retain, test, forget, tug)


def tug_of_war(retain_gap: float, test_gap: float, forget_gap: float) -> float:
    """Return (1 - |retain gap|) (1 - |test gap|) (1 - |forget gap|), gaps being shares.

    1 is as accurate as retraining on every set; an accuracy above retraining's counts as a gap too. Source:
    Zhao et al. 2024, NeurIPS, who pair runs by seed and average; here models are not paired, and each gap is
    between means.

    >>> tug_of_war(-0.5, 0.0, 0.5)
    0.25
    """
    return math.prod(1 - abs(gap) for gap in (retain_gap, test_gap, forget_gap))


def mean_interval(values: object) -> Estimate:
    """Return the mean of one number for each model [N] and Student's t interval; it may reach beyond 0 or 1.

    >>> found = mean_interval(np.array([0.25, 0.75, 0.5]))
    >>> found.mean, round(found.low, 3), round(found.high, 3)
    (0.5, -0.121, 1.121)
    """
    found = checks.floats("values", values, 1).astype(np.float64)
    return _student(float(found.mean()), _squared_error(found), found.size - 1)


def welch_interval(first: object, second: object) -> Estimate:
    """Return the mean of `first` [N] minus that of `second` [M], with Welch's interval (1947, Biometrika 34).

    >>> welch_interval(np.array([0.5, 0.5]), np.array([0.25, 0.25]))
    Estimate(mean=0.25, low=0.25, high=0.25)
    """
    a, b = (
        checks.floats(name, one, 1).astype(np.float64) for name, one in (("first", first), ("second", second))
    )
    errors = _squared_error(a), _squared_error(b)
    spread = sum(error**2 / (one.size - 1) for error, one in zip(errors, (a, b), strict=True) if error > 0)
    freedom = sum(errors) ** 2 / spread if spread else min(a.size, b.size) - 1
    return _student(float(a.mean() - b.mean()), sum(errors), freedom)


def _accuracy(name: str, unlearned: Accuracies | None, retrained: Accuracies | None) -> Accuracy | None:
    if unlearned is None or retrained is None:
        return None
    for values in (unlearned, retrained):
        if values.max() > 1:
            raise GradeError(f"{name} reaches {values.max():g}; it must hold shares between 0 and 1 here")
    return Accuracy(mean_interval(unlearned), mean_interval(retrained), welch_interval(unlearned, retrained))


def _squared_error(values: Accuracies) -> float:
    """Return the squared standard error of the mean; NaN for a single value."""
    return float(values.var(ddof=1)) / values.size if values.size > 1 else math.nan


def _student(mean: float, squared_error: float, freedom: float) -> Estimate:
    """Return the interval of a mean; an error of 0 leaves a point, and an unknown one leaves NaN."""
    reach = stats.t.ppf((1 + LEVEL) / 2, freedom) * math.sqrt(squared_error) if freedom > 0 else math.nan
    return Estimate(mean, float(mean - reach), float(mean + reach))
