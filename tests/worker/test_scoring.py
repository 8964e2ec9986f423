"""From stored outputs to a score, without a sandbox."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import grader
from app.plots import Plots, points_of
from app.schemas.scores import SummaryOut
from worker.graded import model_outputs
from worker.outputs import RunOutputs
from worker.reference import retraining_row
from worker.scoring import score_outputs

S, C = 6, 3
LABELS = np.arange(S) % C
ACCURACIES = {"retain_accuracy": 0.9, "test_accuracy": 0.8}


def logits(rng, n, shift=0.0):
    found = rng.normal(size=(n, S, C)).astype(np.float32)
    found[:, np.arange(S), LABELS] += shift
    return found


def split(rng, n):
    reference = {}
    for role in ("retrained", "ceiling"):
        reference[f"{role}_forget_logits"] = logits(rng, n)
        reference |= {f"{role}_{name}": np.full(n, value) for name, value in ACCURACIES.items()}
    return SimpleNamespace(
        arrays={"forget_labels": LABELS}, reference=reference, original_logits=logits(rng, 1, 8.0)[0]
    )


def runs(found):
    return [RunOutputs(one, **ACCURACIES) for one in found]


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def test_the_reports_headlines_are_stored_beside_it_and_everything_is_json(rng):
    given = split(rng, 32)
    score = score_outputs(runs(logits(rng, 32)), given, [1.0] * 32, [2.0] * 32)
    report = json.loads(json.dumps(score.report, allow_nan=False))
    assert score.grader_version == report["grader_version"] == grader.VERSION
    assert score.score == pytest.approx(report["official"]["score"])
    assert score.calibrated_score == pytest.approx(report["ceiling"]["calibrated_score"])
    assert report["ceiling"]["second_reference"]
    assert report["time"]["cutoff"] == 2.0
    assert report["time"]["share_of_cutoff"] == [0.5] * 32
    low, high = score.interval
    assert low < score.score < high
    assert score.calibrated_interval[0] < score.calibrated_score < score.calibrated_interval[1]
    assert {name: len(kept) for name, kept in score.replicates.items()} == dict.fromkeys(
        ("official", "calibrated"), report["uncertainty"]["draws"]
    )
    assert score.flags == ()
    json.dumps(score.replicates, allow_nan=False)


def test_the_summary_is_of_the_reports_own_panels(rng):
    far = logits(rng, 32, 4.0)
    score = score_outputs(runs(far), split(rng, 32), [1.0] * 32, [2.0] * 32)
    report = score.report
    assert set(score.summary) == set(SummaryOut.model_fields)
    assert score.summary == pytest.approx(
        {
            "forget_accuracy": np.mean(far.argmax(axis=2) == LABELS),
            "retrained_forget_accuracy": report["utility"]["forget"]["retrained"]["mean"],
            "median_epsilon": np.median(report["official"]["epsilon"]),
            "share_without_points": np.mean([one == 0 for one in report["official"]["points"]]),
            "median_attack_auc": np.median(report["membership"]["auc"]),
            "share_proved": np.mean([one > 0 for one in report["held_out"]["epsilon_lower"]]),
            "share_rejected": report["distribution"]["rejected_ks"],
        }
    )
    assert score.summary["forget_accuracy"] > score.summary["retrained_forget_accuracy"] + 0.2


def test_a_panel_that_needs_more_models_leaves_its_part_of_the_summary_empty(rng):
    summary = score_outputs(runs(logits(rng, 2)), split(rng, 2), [1.0] * 2, [2.0] * 2).summary
    assert (summary["share_proved"], summary["median_attack_auc"]) == (None, None)
    assert summary["forget_accuracy"] is not None


def test_what_the_grader_flags_is_stored_by_its_codes(rng):
    given = split(rng, 16)
    score = score_outputs(runs([given.original_logits] * 16), given, [1.0] * 16, [2.0] * 16)
    assert {"too_alike", "same_as_original"} <= set(score.flags)


def test_too_few_models_leave_a_score_without_intervals(rng):
    score = score_outputs(runs(logits(rng, 4)), split(rng, 4), [1.0] * 4, [2.0] * 4)
    assert np.isfinite(score.score)
    assert (score.interval, score.calibrated_interval, score.replicates) == (None, None, {})


def test_an_example_that_cannot_be_scored_leaves_no_score(rng):
    given = split(rng, 8)
    flat = np.zeros((8, S, C), np.float32)
    flat[:, :, 0] = np.linspace(0, 1e-6, 8)[:, None]
    given.reference["retrained_forget_logits"] = flat
    assert score_outputs(runs(flat[::-1]), given, [1.0] * 8, [2.0] * 8) is None


def test_retraining_is_1_by_definition_unless_it_has_no_points(rng):
    reference = split(rng, 16).reference
    row = retraining_row(reference, LABELS)
    assert row["calibrated_score"] == 1.0
    assert row["interval_low"] < row["score"] < row["interval_high"]
    assert row["grader_version"] == grader.VERSION
    apart = reference | {"ceiling_forget_logits": logits(rng, 16, 50.0)}
    row = retraining_row(apart, LABELS)
    assert (row["score"], row["calibrated_score"]) == (0.0, None)


def test_too_few_models_leave_retraining_without_an_interval(rng):
    row = retraining_row(split(rng, 4).reference, LABELS)
    assert (row["interval_low"], row["interval_high"]) == (None, None)


def test_the_forget_accuracy_of_each_model_comes_from_its_logits(rng):
    found = np.zeros((2, S, C), np.float32)
    found[0, np.arange(S), LABELS] = 1.0
    found[1, 0, LABELS[0]] = 1.0
    accuracy = model_outputs(found, np.ones(2), np.ones(2), LABELS).forget_accuracy
    expected = (found.argmax(axis=2) == LABELS).mean(axis=1)
    assert accuracy == pytest.approx(expected)
    assert accuracy[0] == 1.0


def test_plots_are_stored_small_beside_the_report_and_fit_what_the_service_reads(rng):
    score = score_outputs(runs(logits(rng, 32)), split(rng, 32), [1.0] * 32, [2.0] * 32)
    found = Plots.model_validate(json.loads(json.dumps(score.plots, allow_nan=False)))
    assert (found.models, found.examples) == (32, S)
    assert found.epsilon.edges == [0.5 * index for index in range(9)]
    assert sum(found.epsilon.unlearned) == sum(found.epsilon.retrained) == S
    awarded = [
        count * worth
        for count, worth in zip(found.epsilon.unlearned, points_of(found.epsilon.edges), strict=True)
    ]
    assert sum(awarded) / S == pytest.approx(score.forgetting_quality), "each bar is a class of points"
    assert found.roc.true_positive_rate[-1] == 1
    assert len(found.telling.example) == S
    assert len(json.dumps(score.plots)) < 8000


def test_plots_of_few_models_have_a_histogram_all_the_same(rng):
    score = score_outputs(runs(logits(rng, 3)), split(rng, 3), [1.0] * 3, [2.0] * 3)
    found = Plots.model_validate(score.plots)
    assert sum(found.epsilon.unlearned) == S
    assert found.roc is None
