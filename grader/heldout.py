"""How much an attack that was chosen on some models still proves about models it has not seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from grader import bands, checks, likelihood
from grader.bands import Search
from grader.checks import GradeError

RULES = ("single", "gaussian", "double")
"""Kinds of rule, from the simplest; of kinds as good as each other, the simpler is taken."""

Samples = NDArray[np.float64]
Counts = NDArray[np.intp]


@dataclass(frozen=True)
class HeldOut:
    """What holds of each of S examples with confidence `level`, one example at a time.

    `epsilon_lower` [S] lies between 0 (nothing proved) and `certifiable`, which an attack without an error gets.
    `rule` [S] names the attack of RULES that was chosen. `false_positives` (retrained taken for unlearned) and
    `false_negatives` [S] count its errors among `n_judging` models of either kind. Of examples that nothing tells
    apart, up to 1 - level may have a lower bound above 0 by chance, so `share_above_zero` means something from
    there on, and `max_lower` is no bound for the largest of many examples.
    """

    epsilon_lower: Samples
    rule: tuple[str, ...]
    false_positives: Counts
    false_negatives: Counts
    certifiable: float
    n_choosing: int
    n_judging: int
    level: float
    delta: float
    share_above_zero: float
    mean_lower: float
    median_lower: float
    max_lower: float


def held_out(U: object, R: object, delta: float = 1e-5, level: float = 0.95) -> HeldOut:
    """Return a lower bound on the epsilon by which unlearned and retrained models differ, for each example.

    `U` and `R` are confidences [N, S] (models, examples), float32 or float64, of equal shape. The first N // 2
    models (taken to be independent runs of one law each) choose a rule: a threshold in either direction ("single"),
    a band or all but a band ("double"), or a threshold on the likelihood ratio of two normal laws ("gaussian"), with
    ends midway between neighbouring values. The other models judge it. Their errors give Clopper-Pearson upper
    bounds on its two error rates, each at 1 - (1 - level) / 2 so that they hold together, and with them

        epsilon_lower = max(0, ln((1 - delta - FPR) / FNR), ln((1 - delta - FNR) / FPR)).

    No error at all is not infinity: N models can certify no more than the `certifiable` epsilon. "Best" among the choosing
    models means the largest epsilon by these same bounds; the plain error rates would favour rules that are right
    about one or two models. The kind of rule is the one that does best when each half of the choosing models is
    judged by the rule of the other, since the richest kind always fits best. Infinities count as +-1e100. Raises
    GradeError for NaN, bad shapes and types, `delta` or `level` out of range, or N below `least_models`.
    Sources: Kairouz et al., The Composition Theorem for Differential Privacy (2015), for the inequality between
    epsilon and the error rates; Jagielski et al., Auditing Differentially Private Machine Learning (2020), for its
    use with Clopper and Pearson's intervals (1934).

    >>> R = np.random.default_rng(0).normal(size=(128, 2))
    >>> found = held_out(R + np.array([9.0, 0.0]), R[::-1])
    >>> found.epsilon_lower.round(3), round(found.certifiable, 3), found.rule[0]
    (array([2.825, 0.   ]), 2.825, 'single')
    """
    unlearned, retrained = _checked(U, R, delta, level)
    choosing, judging = np.split(np.arange(unlearned.shape[0]), [unlearned.shape[0] // 2])
    rule = _choose(unlearned[choosing], retrained[choosing], delta, level)
    errors = _errors(unlearned, retrained, choosing, judging, _bounds(choosing.size, delta, level))
    false_positives, false_negatives = errors[rule, np.arange(rule.size)].T
    bounds = np.maximum(_bounds(judging.size, delta, level), 0.0)
    lower = bounds[false_positives, false_negatives]
    return HeldOut(
        epsilon_lower=lower,
        rule=tuple(RULES[kind] for kind in rule),
        false_positives=false_positives,
        false_negatives=false_negatives,
        certifiable=float(bounds[0, 0]),
        n_choosing=choosing.size,
        n_judging=judging.size,
        level=level,
        delta=delta,
        share_above_zero=float((lower > 0).mean()),
        mean_lower=float(lower.mean()),
        median_lower=float(np.median(lower)),
        max_lower=float(lower.max()),
    )


def least_models(delta: float = 1e-5, level: float = 0.95) -> int:
    """Return the least N, 8 or more, of which half the models (rounded up) can certify an epsilon above 0.

    >>> least_models()
    11
    """
    judging = int(np.log((1 - level) / 2) / np.log((1 + delta) / 2)) + 1
    return max(2 * judging - 1, 8)  # two models fit a law, in each half of the choosing half


def _checked(U: object, R: object, delta: float, level: float) -> tuple[Samples, Samples]:
    if not 0 <= delta < 1:
        raise GradeError(f"delta is {delta}; it must be at least 0 and below 1")
    if not 0 < level < 1:
        raise GradeError(f"level is {level}; it must lie between 0 and 1")
    unlearned, retrained = checks.confidence_pair(U, R)
    least = least_models(delta, level)
    if unlearned.shape[0] < least:
        raise GradeError(
            f"U and R hold {unlearned.shape[0]} models; a held-out attack at level {level} needs at least {least}"
        )
    return likelihood.cut_off("U", unlearned), likelihood.cut_off("R", retrained)


def _bounds(n: int, delta: float, level: float) -> Samples:
    """Return epsilon's lower bound by false positives and negatives among n, [n + 1, n + 1]; below 0 proves nothing."""
    count = np.arange(n)
    upper = np.append(beta.ppf(1 - (1 - level) / 2, count + 1, n - count), 1.0)
    with np.errstate(divide="ignore"):
        kept = np.log(np.maximum(1 - delta - upper, 0.0))
    one_way = kept[:, None] - np.log(upper)
    bounds: Samples = np.maximum(one_way, one_way.T)
    return bounds


def _choose(U: Samples, R: Samples, delta: float, level: float) -> Counts:
    """Return for each example the kind of rule, [S], that does best on models that have not chosen it."""
    halves = np.array_split(np.arange(U.shape[0]), 2)
    pairs = (halves, halves[::-1])
    errors = sum(_errors(U, R, one, other, _bounds(one.size, delta, level)) for one, other in pairs)
    false_positives, false_negatives = np.moveaxis(np.asarray(errors), -1, 0)
    kind: Counts = _bounds(U.shape[0], delta, level)[false_positives, false_negatives].argmax(axis=0)
    return kind


def _errors(U: Samples, R: Samples, choosing: Counts, judging: Counts, worth: Samples) -> Counts:
    """Return the errors of the best rule of each of RULES, [3, S, 2], on the judging models."""
    laws = likelihood.fit(U[choosing], R[choosing])
    ratios = likelihood.log_ratio(U, laws), likelihood.log_ratio(R, laws)
    kinds: tuple[tuple[Search, Samples, Samples], ...] = (
        (bands.single, U, R),
        (bands.single, *ratios),
        (bands.double, U, R),
    )
    return np.array(
        [
            [
                search(u[choosing], r[choosing], worth).errors(u[judging], r[judging])
                for u, r in zip(first.T, second.T, strict=True)
            ]
            for search, first, second in kinds
        ]
    )
