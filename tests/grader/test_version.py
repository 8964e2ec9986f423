"""Numbers that stored scores were made with: when one changes, so must grader.VERSION."""

import numpy as np
import pytest

import grader
from grader import report
from grader.confidence import confidence
from grader.types import ModelOutputs

STORED = {
    "official.score": 0.06517492267636005,
    "ceiling.calibrated_score": 0.40366403722132665,
    "uncertainty.score.low": 0.03228996099109239,
    "uncertainty.calibrated_score.high": 0.6076711481778533,
    "held_out.mean_lower": 0.05634228575996658,
    "held_out.certifiable": 1.0219326439868317,
    "membership.pooled.auc": 0.7804542824074074,
    "membership.median_balanced_accuracy": 0.7291666666666666,
    "distribution.ks": 6.208333333333334,
    "distribution.mmd": 2.9962093255506583,
    "distribution.classifier_accuracy": 9.729166666666666,
    "utility.tug_of_war": 0.958583849328137,
    "utility.test.gap.low": -0.027734838324964307,
    "integrity.ties": 0.0,
    "integrity.clipped": 0.9946287507267185,
    "integrity.too_alike": 0.9278717375532683,
    "integrity.too_even": 0.5582385612815016,
    "integrity.too_close": 9.130894983328506,
    "integrity.same_as_original": 0.041666666666666664,
    "time.median": 0.4263898841703996,
}


def outputs(n_models, rng, shift):
    """Outputs of models on 12 examples of 3 classes; PCG64 gives the same uniform numbers everywhere."""
    logits = rng.random((n_models, 12, 3)) * 4 + shift
    accuracies = rng.random((3, n_models)) * 0.1 + 0.8
    return ModelOutputs(confidence(logits, np.arange(12) % 3), *accuracies, logits=logits)


def graded():
    """Return one number or more of each panel, by where it stands in the report."""
    rng = np.random.default_rng(7)
    U, R, second = outputs(24, rng, [2.5, 0, 0]), outputs(24, rng, 0), outputs(24, rng, 0)
    found = report.grade(U, R, second=second, original=U.confidence[0], seconds=rng.random(24), cutoff=2.0)
    return {
        "official.score": found.official.score,
        "ceiling.calibrated_score": found.ceiling.calibrated_score,
        "uncertainty.score.low": found.uncertainty.score.low,
        "uncertainty.calibrated_score.high": found.uncertainty.calibrated_score.high,
        "held_out.mean_lower": found.held_out.mean_lower,
        "held_out.certifiable": found.held_out.certifiable,
        "membership.pooled.auc": found.membership.pooled.auc,
        "membership.median_balanced_accuracy": found.membership.median_balanced_accuracy,
        "distribution.ks": found.distribution.ks.sum(),
        "distribution.mmd": found.distribution.mmd.sum(),
        "distribution.classifier_accuracy": found.distribution.classifier_accuracy.sum(),
        "utility.tug_of_war": found.utility.tug_of_war,
        "utility.test.gap.low": found.utility.test.gap.low,
        **{f"integrity.{one.code}": one.value for one in found.integrity.measures},
        "time.median": found.time.median,
    }


def test_this_version_still_gives_the_numbers_that_it_gave():
    assert grader.VERSION == "2", "another version: store its numbers here"
    assert graded() == pytest.approx(STORED, rel=1e-6), (
        "a number changed: raise grader.VERSION, then store it here"
    )
