import json

import numpy as np
import pytest

from grader import VERSION, report
from grader.checks import GradeError
from grader.types import ModelOutputs


def outputs(confidence, retain=0.9, test=0.8):
    """Outputs of models that all have the same accuracies."""
    n = len(confidence)
    return ModelOutputs(np.asarray(confidence), np.full(n, retain), np.full(n, test))


@pytest.fixture
def samples():
    return np.random.default_rng(1).normal(size=(2, 16, 4))


def test_the_score_is_forgetting_quality_times_both_utility_ratios(samples):
    found = report.grade(outputs(samples[0], 0.45, 0.6), outputs(samples[1]))
    assert found.official.retain_ratio == pytest.approx(0.5)
    assert found.official.test_ratio == pytest.approx(0.75)
    assert found.official.score == pytest.approx(found.official.forgetting_quality * 0.375)
    assert found.official.forgetting_quality == np.mean(found.official.points)
    assert (found.n_models, found.n_examples, found.grader_version) == (16, 4, VERSION)


def test_models_that_are_easily_told_apart_score_zero(samples):
    assert report.grade(outputs(samples[0] + 20), outputs(samples[1])).official.score == 0


def test_the_report_goes_through_json_and_back(samples):
    written = report.grade(outputs(samples[0]), outputs(samples[1])).to_dict()
    assert json.loads(json.dumps(written, allow_nan=False)) == written


def test_an_unscorable_example_leaves_no_score_and_says_why(samples):
    spoiled = samples[0].copy()
    spoiled[3, 2] = np.nan
    written = report.grade(outputs(spoiled), outputs(samples[1])).to_dict()["official"]
    assert written["score"] is None
    assert written["forgetting_quality"] is None
    assert written["epsilon"][2] is None
    assert written["points"][2] is None
    assert written["reasons"] == [None, None, "not_finite", None]


def test_unequal_sizes_are_refused(samples):
    with pytest.raises(GradeError, match="U has 16 and R has 15"):
        report.grade(outputs(samples[0]), outputs(samples[1][:15]))


def test_retrained_models_without_accuracy_cannot_be_compared_with(samples):
    with pytest.raises(GradeError, match="retrained accuracy is 0"):
        report.grade(outputs(samples[0]), outputs(samples[1], retain=0.0))


@pytest.mark.parametrize("accuracy", [np.nan, np.inf, -0.1])
def test_accuracies_must_be_finite_and_not_negative(samples, accuracy):
    with pytest.raises(GradeError, match="retain_accuracy must be finite"):
        outputs(samples[0], retain=accuracy)
