import dataclasses
import json

import numpy as np
import pytest

from grader import VERSION, report
from grader.checks import GradeError
from grader.confidence import confidence
from grader.types import ACCURACIES, ModelOutputs

PANELS = {"ceiling", "uncertainty", "held_out", "membership", "distribution", "utility", "integrity", "time"}


def outputs(values, retain=0.9, test=0.8, **more):
    """Outputs of models that all have the same accuracies."""
    n = len(values)
    return ModelOutputs(np.asarray(values), np.full(n, retain), np.full(n, test), **more)


def networks(n_models, n_examples, rng):
    """Outputs with logits and all accuracies, as an evaluation has them."""
    logits = rng.normal(size=(n_models, n_examples, 4)).astype(np.float32)
    accuracies = {name: rng.uniform(0.7, 0.8, n_models) for name in ACCURACIES}
    labels = np.arange(n_examples) % 4
    return ModelOutputs(confidence(logits, labels), logits=logits, **accuracies)


@pytest.fixture
def samples():
    return np.random.default_rng(1).normal(size=(2, 16, 4))


@pytest.fixture
def everything():
    """A report to which everything was given."""
    rng = np.random.default_rng(2)
    U, R, second = (networks(16, 6, rng) for _ in range(3))
    original = rng.normal(size=6)
    return report.grade(
        U, R, second=second, original=original, seconds=rng.uniform(1, 2, 16), cutoff=3.0, draws=4
    )


def test_the_score_is_forgetting_quality_times_both_utility_ratios(samples):
    found = report.grade(outputs(samples[0], 0.45, 0.6), outputs(samples[1]), draws=2)
    assert found.official.retain_ratio == pytest.approx(0.5)
    assert found.official.test_ratio == pytest.approx(0.75)
    assert found.official.score == pytest.approx(found.official.forgetting_quality * 0.375)
    assert found.official.forgetting_quality == np.mean(found.official.points)
    assert (found.n_models, found.n_examples, found.grader_version) == (16, 4, VERSION)


def test_models_that_are_easily_told_apart_score_zero(samples):
    found = report.grade(outputs(samples[0] + 20), outputs(samples[1]), draws=2)
    assert found.official.score == 0
    assert found.ceiling.calibrated_score == 0
    assert found.membership.median_auc == 1


def test_a_report_to_which_everything_was_given_lacks_no_panel(everything):
    assert everything.missing == {}
    assert {name for name in PANELS if getattr(everything, name) is None} == set()


def test_the_intervals_of_a_report_are_around_its_own_numbers(everything):
    around = everything.uncertainty
    assert around.score.low <= everything.official.score <= around.score.high
    assert around.calibrated_score.low <= everything.ceiling.calibrated_score <= around.calibrated_score.high


def test_a_report_goes_through_json_and_back(everything):
    written = everything.to_dict()
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert set(written) == {field.name for field in dataclasses.fields(report.Report)}


def test_a_panel_that_cannot_be_made_says_what_it_needs(samples):
    found = report.grade(ModelOutputs(samples[0][:4]), ModelOutputs(samples[1][:4]))
    assert set(found.missing) == {"ceiling", "uncertainty", "held_out", "utility", "time"}
    assert "N is 4" in found.missing["ceiling"]
    assert "at least 11" in found.missing["held_out"]
    assert found.official.forgetting_quality >= 0
    assert np.isnan(found.official.score)


def test_an_unscorable_example_leaves_no_score_and_says_why(samples):
    spoiled = samples[0].copy()
    spoiled[3, 2] = np.nan
    found = report.grade(outputs(spoiled), outputs(samples[1]), draws=2)
    written = found.to_dict()["official"]
    assert written["score"] is None
    assert written["forgetting_quality"] is None
    assert written["epsilon"][2] is None
    assert written["points"][2] is None
    assert written["reasons"] == [None, None, "not_finite", None]
    assert found.missing["ceiling"] == "every example must have an epsilon"
    assert "U must be finite" in found.missing["distribution"]


def test_no_input_is_modified(samples):
    U, R, second = (outputs(values.copy()) for values in (*samples, samples[0] + 0.1))
    kept = [(one.confidence.copy(), one.retain_accuracy.copy()) for one in (U, R, second)]
    report.grade(U, R, second=second, original=samples[0][0], draws=2)
    for one, (values, accuracy) in zip((U, R, second), kept, strict=True):
        assert np.array_equal(one.confidence, values)
        assert np.array_equal(one.retain_accuracy, accuracy)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"second": (15, 4)}, "second has 15 models of 4 examples; R has 16 models"),
        ({"original": (3,)}, "original"),
        ({"seconds": (15,), "cutoff": 2.0}, "seconds holds 15 runs and there are 16 models"),
        ({"seconds": (16,), "cutoff": 0.0}, "cutoff is 0.0"),
        ({"draws": 1}, "draws is 1; an interval needs at least 2"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(samples, wrong, words):
    given = {name: np.ones(value) if isinstance(value, tuple) else value for name, value in wrong.items()}
    if "second" in given:
        given["second"] = ModelOutputs(given["second"])
    with pytest.raises(GradeError, match=words):
        report.grade(outputs(samples[0]), outputs(samples[1]), **{"draws": 2, **given})


def test_logits_of_other_classes_are_refused(samples):
    U = outputs(samples[0], logits=np.zeros((16, 4, 3)))
    R = outputs(samples[1], logits=np.zeros((16, 4, 5)))
    with pytest.raises(GradeError, match="they must have one shape"):
        report.grade(U, R)


def test_logits_must_be_of_the_same_models_and_examples(samples):
    with pytest.raises(GradeError, match=r"logits has shape \(16, 3, 5\); it must be \(16, 4, classes\)"):
        outputs(samples[0], logits=np.zeros((16, 3, 5)))


def test_unequal_sizes_are_refused(samples):
    with pytest.raises(GradeError, match="U has 16 and R has 15"):
        report.grade(outputs(samples[0]), outputs(samples[1][:15]))


def test_retrained_models_without_accuracy_cannot_be_compared_with(samples):
    for name in ("retain", "test"):
        with pytest.raises(GradeError, match=f"{name}_accuracy of the retrained models is 0 on average"):
            report.grade(outputs(samples[0]), outputs(samples[1], **{name: 0.0}))


@pytest.mark.parametrize("accuracy", [np.nan, np.inf, -0.1])
def test_accuracies_must_be_finite_and_not_negative(samples, accuracy):
    words = f"retain_accuracy must be finite and not negative; it holds {accuracy}"
    with pytest.raises(GradeError, match=words):
        outputs(samples[0], retain=accuracy)


@pytest.mark.parametrize(("ours", "theirs"), [(90.0, 0.9), (0.9, 90.0)])
def test_percentages_against_shares_are_refused(samples, ours, theirs):
    words = (
        f"test_accuracy reaches {ours:g} in U and {theirs:g} in R; both must be shares, or both percentages"
    )
    with pytest.raises(GradeError, match=words):
        report.grade(outputs(samples[0], test=ours), outputs(samples[1], test=theirs), draws=2)


def test_percentages_on_both_sides_give_the_score_of_shares(samples):
    shares, percentages = (
        report.grade(outputs(samples[0], 0.4 * unit, 0.5 * unit), outputs(samples[1], unit, unit), draws=2)
        for unit in (1.0, 100.0)
    )
    assert percentages.official.score == pytest.approx(shares.official.score)
    assert "must hold shares" in percentages.missing["utility"]


def test_ragged_lists_are_refused_by_name():
    with pytest.raises(GradeError, match="confidence is no array: its rows differ in length"):
        ModelOutputs([[1.0], [2.0, 3.0]])


def test_nested_lists_and_foreign_byte_orders_are_kept_as_native_arrays():
    U = ModelOutputs([[1.0, 2.0], [3.0, 4.0]], np.array([0.5, 1.0], ">f8"), logits=np.zeros((2, 2, 3), ">f4"))
    assert (U.n_models, U.n_examples) == (2, 2)
    assert U.retain_accuracy.dtype.isnative
    assert U.logits.dtype == np.float32
