"""How well an attack that knows both kinds of models tells which kind a model is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from grader import checks, likelihood, roc
from grader.checks import GradeError
from grader.roc import Roc

MIN_MODELS = 4
"""Least N: laws are fitted on each half of the models, and a law needs two."""

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Attack:
    """One attack on all examples at once: 0.5 (0.01 and 0.001 for the true positive rates) is no better than chance.

    `tpr_at_1_percent` and `tpr_at_01_percent` are shares of members found while at most 1 % and 0.1 % of
    `non_members`, the number each threshold was set by, are taken for members.
    """

    auc: float
    tpr_at_1_percent: float
    tpr_at_01_percent: float
    balanced_accuracy: float
    non_members: int


@dataclass(frozen=True)
class Membership:
    """The attack on all examples pooled, with its curve, and on each: `auc` and `balanced_accuracy` are [S] with their medians."""

    pooled: Attack
    auc: Samples
    balanced_accuracy: Samples
    median_auc: float
    median_balanced_accuracy: float
    roc: Roc


def attack(U: object, R: object) -> Membership:
    """Return how well likelihood ratios tell unlearned models (members) from retrained ones (non-members).

    `U` and `R` are confidences [N, S] (models, examples), float32 or float64, of equal shape, N at least 4. For
    each example a normal law is fitted to either kind on one half of the models, and the other half's confidences
    are judged by ln(density as unlearned / density as retrained); then the halves change roles (the first half is
    models 0 to N // 2 - 1; models are taken to be exchangeable). Every number is worked out within a half that the
    laws have not seen, and averaged over both: a method like retraining gets 0.5 on average, not more. Runs that
    were coordinated with each other can get less.

    Balanced accuracy calls a model unlearned where the log-ratio is above 0, and half so at 0: the threshold is
    fixed, not chosen. The true positive rates are `true_positive_rate`'s. Few models make rough laws: with fewer
    than about 32, the attack finds less than it could. Infinities count as +-1e100. Raises GradeError for NaN,
    bad shapes and types, or too few models.
    Source: Carlini et al., Membership Inference Attacks From First Principles (2022), applied to models as the
    thing to tell apart.

    >>> U = np.array([[5.0, 0.0], [6.0, 1.0], [5.0, 0.0], [6.0, 1.0]])
    >>> found = attack(U, U - [5.0, 0.0])
    >>> found.auc, found.balanced_accuracy, found.median_auc
    (array([1. , 0.5]), array([1. , 0.5]), 0.75)
    """
    unlearned, retrained = _checked(U, R)
    halves = np.array_split(np.arange(unlearned.shape[0]), 2)
    parts = []
    for known, judged in (halves, halves[::-1]):
        laws = likelihood.fit(unlearned[known], retrained[known])
        parts.append([likelihood.log_ratio(sample[judged], laws) for sample in (unlearned, retrained)])
    aucs = np.mean([_aucs(members, others) for members, others in parts], axis=0)
    accuracies = np.mean([_balanced(members, others) for members, others in parts], axis=0)
    together = [(members.ravel(), others.ravel()) for members, others in parts]
    medians = float(np.median(aucs)), float(np.median(accuracies))
    curve = roc.mean([roc.curve(*part) for part in together])
    return Membership(_pooled(together), aucs, accuracies, *medians, curve)


def auc(members: object, non_members: object) -> float:
    """Return the chance that a random member lies above a random non-member, ties counting half.

    Both are one-dimensional, float32 or float64; infinities are fine, NaN raises GradeError.
    1 parts them perfectly, 0.5 not at all.

    >>> auc(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    0.875
    """
    first, second = _numbers("members", members), _numbers("non_members", non_members)
    return float(_aucs(first[:, None], second[:, None])[0])


def true_positive_rate(members: object, non_members: object, per_mille: int) -> float:
    """Return the share of members found while at most `per_mille` in a thousand non-members are taken for members.

    Both are one-dimensional, float32 or float64, higher meaning likelier a member. Members are found strictly
    above a threshold that lies on a non-member's value: nothing is interpolated, and ties are not split. Of n
    non-members, n * per_mille // 1000 may lie above it; where that is 0, as with n below 1000 at 0.1 %, none may.
    Chance gives (that + 1) / (n + 1). Raises GradeError for NaN.

    >>> true_positive_rate(np.array([0.5, 2.5, 3.5]), np.array([0.0, 1.0, 2.0]), 1)
    0.6666666666666666
    >>> true_positive_rate(np.array([0.5, 2.5, 3.5]), np.array([0.0, 1.0, 2.0]), 500)
    0.6666666666666666
    """
    found, others = _numbers("members", members), _numbers("non_members", non_members)
    if not 0 <= per_mille < 1000:
        raise GradeError(f"per_mille is {per_mille}; it must lie between 0 and 999")
    allowed = others.size * per_mille // 1000
    threshold = np.partition(others, others.size - 1 - allowed)[others.size - 1 - allowed]
    return float((found > threshold).mean())


def _checked(U: object, R: object) -> tuple[Samples, Samples]:
    unlearned, retrained = checks.confidence_pair(U, R)
    if unlearned.shape[0] < MIN_MODELS:
        raise GradeError(f"U and R hold {unlearned.shape[0]} models; an attack needs at least {MIN_MODELS}")
    return likelihood.cut_off("U", unlearned), likelihood.cut_off("R", retrained)


def _numbers(name: str, values: object) -> checks.Floats:
    numbers = checks.floats(name, values, 1)
    checks.no_nan(name, numbers)
    return numbers


def _aucs(members: checks.Floats, others: checks.Floats) -> Samples:
    """Return the AUC of each column from the members' ranks among all."""
    n = members.shape[0]
    ranks = rankdata(np.concatenate([members, others]), axis=0)
    wins = ranks[:n].sum(axis=0) - n * (n + 1) / 2
    share: Samples = wins / (n * others.shape[0])
    return share


def _balanced(members: Samples, others: Samples) -> Samples:
    """Return the balanced accuracy of the sign of the log-ratio, for each column."""
    found = (np.sign(members).mean(axis=0) - np.sign(others).mean(axis=0)) / 4
    accuracy: Samples = 0.5 + found
    return accuracy


def _pooled(parts: list[tuple[Samples, Samples]]) -> Attack:
    """Return the attack on log-ratios of all examples together, averaged over the halves."""
    measured = [
        (auc(*part), true_positive_rate(*part, 10), true_positive_rate(*part, 1), float(_balanced(*part)))
        for part in parts
    ]
    area, at_1_percent, at_01_percent, balanced = (float(value) for value in np.mean(measured, axis=0))
    return Attack(area, at_1_percent, at_01_percent, balanced, min(others.size for _, others in parts))
