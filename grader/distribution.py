"""How far the unlearned models' confidences lie from the retrained ones', example by example."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader import checks, classifier_test, multiple_testing, two_sample
from grader.checks import GradeError
from grader.classifier_test import Classified

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """Distances and tests for each example, float64 [S]; the functions of `two_sample` say what each one is.

    `mmd` is squared and unbiased; `jensen_shannon` is in bits, and `jensen_shannon_bias` is what it gives on
    average for equal laws. The classifier's numbers are None while logits are unknown. `rejected_ks` and
    `rejected_classifier` are the shares of examples rejected at 5 % after Benjamini and Hochberg.
    """

    ks: Values
    ks_p: Values
    wasserstein: Values
    energy: Values
    mmd: Values
    jensen_shannon: Values
    jensen_shannon_bias: float
    classifier_accuracy: Values | None
    classifier_p: Values | None
    rejected_ks: float
    rejected_classifier: float | None


def compare(U: object, R: object, U_logits: object = None, R_logits: object = None) -> Distribution:
    """Compare confidences U with R, both [N, S], and logits [N, S, C] where both are given and N >= 2.

    All are float32 or float64 and left as they are. Raises GradeError for bad shapes or types, and for a
    value that is not finite.

    >>> rng = np.random.default_rng(0)
    >>> U, R = rng.normal(size=(2, 128, 4))
    >>> U[:, :2] += 3
    >>> found = compare(U, R)
    >>> found.rejected_ks, found.wasserstein.round(1), found.rejected_classifier
    (0.5, array([3.1, 3.2, 0.2, 0.2]), None)
    """
    checked = checks.confidence_pair(U, R)
    for name, values in zip(("U", "R"), checked, strict=True):
        checks.finite(name, values)
    u, r = (values.astype(np.float64, copy=False) for values in checked)
    ks, ks_p = two_sample.kolmogorov_smirnov(u, r)
    classified = _classified(u.shape, U_logits, R_logits)
    return Distribution(
        ks=ks,
        ks_p=ks_p,
        wasserstein=two_sample.wasserstein(u, r),
        energy=two_sample.energy(u, r),
        mmd=two_sample.mmd(u, r),
        jensen_shannon=two_sample.jensen_shannon(u, r),
        jensen_shannon_bias=two_sample.jensen_shannon_bias(len(u)),
        classifier_accuracy=None if classified is None else classified.accuracy,
        classifier_p=None if classified is None else classified.p,
        rejected_ks=multiple_testing.rejected(ks_p),
        rejected_classifier=None if classified is None else multiple_testing.rejected(classified.p),
    )


def _classified(shape: tuple[int, ...], U_logits: object, R_logits: object) -> Classified | None:
    if U_logits is None or R_logits is None or shape[0] < 2:
        return None
    for name, values in (("U_logits", U_logits), ("R_logits", R_logits)):
        found = checks.floats(name, values, 3).shape
        if found[:2] != shape:
            raise GradeError(f"{name} has shape {found}; it must be ({shape[0]}, {shape[1]}, classes)")
    return classifier_test.classify(U_logits, R_logits)
