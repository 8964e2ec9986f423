"""The report of `lethe score`: everything that the grader says, from files alone."""

import json
import re
from pathlib import Path

import numpy as np
from scipy import stats

from cli.score.panels import ATTACKS, FLAGGED
from grader import heldout, integrity, report
from grader.confidence import confidence
from grader.types import ModelOutputs
from tests.cli.score.arrays import ACCURACIES, FULL, LABELS, lines, logits, run


def test_json_is_the_graders_own_report(files, pair):
    written = json.loads(run("--unlearned", files[0], "--retrained", files[1], "--json").stdout)
    assert written == report.grade(*(ModelOutputs(one) for one in pair)).to_dict()


def test_one_file_with_both_arrays_gives_the_same(files):
    apart = run("--unlearned", files[0], "--retrained", files[1], "--json").stdout
    assert run(files[2], "--json").stdout == apart


def test_logits_labels_and_all_else_fill_every_panel(archive):
    written = json.loads(run(archive(), "--json").stdout)
    U, R, second = (
        ModelOutputs(
            confidence(FULL[f"{group}_logits"], LABELS),
            *(ACCURACIES[f"{group}_{part}_accuracy"] for part in ("retain", "test", "forget")),
            logits=FULL[f"{group}_logits"],
        )
        for group in ("U", "R", "R2")
    )
    original = confidence(FULL["original_logits"], LABELS)
    direct = report.grade(
        U, R, second=second, original=original, seconds=FULL["seconds"], cutoff=FULL["cutoff"]
    )
    assert written == json.loads(json.dumps(direct.to_dict()))
    assert written["missing"] == {}
    assert written["ceiling"]["second_reference"]


def test_confidences_may_stand_in_for_logits(archive):
    changes = {
        **{f"{group}_logits": None for group in ("U", "R", "R2", "original")},
        **{group: confidence(FULL[f"{group}_logits"], LABELS) for group in ("U", "R", "R2", "original")},
        "labels": None,
    }
    ours, theirs = (
        json.loads(run(path, "--json").stdout) for path in (archive(), archive("c.npz", **changes))
    )
    assert ours["official"] == theirs["official"]
    assert theirs["distribution"]["classifier_accuracy"] is None


def test_people_get_the_headline_first_and_every_panel_below(archive):
    result = run(archive())
    printed = lines(result)
    assert result.stdout.startswith("Official score")
    for words in (
        "Calibrated score",
        "1 is as good as retraining",
        "version",
        "N = 12 models, S = 3 examples",
        "Over the examples",
        "Held-out attack",
        "Membership, all examples together",
        "Rejected, classifier",
        "Tug of war",
        "Longest run 2.000 s 50.0% of the cutoff",
        "Integrity",
    ):
        assert words in printed
    assert "Not in this report" not in printed
    assert "Each example" not in printed
    assert "\x1b" not in result.stdout


def test_panels_that_cannot_be_made_are_listed_with_what_they_need(files):
    printed = lines(run(files[2]))
    _, missing = printed.split("Not in this report")
    assert "utility no accuracy is known" in missing
    assert "time the runs' seconds and their cutoff are not known" in missing


def test_without_accuracies_calibrated_quality_leads_and_the_arrays_for_scores_are_named(files, pair):
    printed = lines(run("--unlearned", files[0], "--retrained", files[1]))
    found = report.grade(*(ModelOutputs(one) for one in pair)).ceiling.calibrated_forgetting
    headline, _ = printed.split("Over the examples")
    assert f"Calibrated F {found:.4f} F at N/2 over the ceiling" in headline
    for absent in ("Official score", "Calibrated score", "ratio", " - "):
        assert absent not in headline
    needed = "U_retain_accuracy, R_retain_accuracy, U_test_accuracy and R_test_accuracy, beside U and R"
    assert f"The official and the calibrated score need accuracies: {needed}" in headline


def test_a_ratio_that_is_known_is_printed_though_the_other_is_not(archive):
    printed = lines(run(archive(R_test_accuracy=None)))
    assert "Retain ratio 0.8889" in printed
    assert "Test ratio" not in printed
    assert "need accuracies: U_test_accuracy and R_test_accuracy, beside" in printed
    assert "need accuracies" not in lines(run(archive()))


def test_flags_are_told_in_words(archive):
    clipped = np.clip(confidence(logits(0), LABELS), -0.5, 0.5)
    printed = lines(run(archive(U_logits=None, U=clipped)))
    assert "Flags, for a person to look at ties: " in printed


def seen():
    """What the grader measures of retraining itself and of each trick that it flags, of 32 models and 40 examples."""
    rng = np.random.default_rng(5)
    U, R = rng.normal(size=(2, 32, 40))
    places = stats.norm.ppf((np.arange(32) + 0.5) / 32)
    even = np.stack([rng.permutation(places) for _ in range(40)], axis=1)
    alike = np.broadcast_to(R[0], U.shape) + 1e-4 * U
    tricks = (U, np.clip(U, -1.0, 1.0), even, alike)
    return [one for trick in tricks for one in integrity.inspect(trick, R, R[0]).measures]


def test_the_side_that_is_said_to_be_flagged_is_the_graders():
    measures = seen()
    assert {one.code for one in measures if one.flagged} == set(integrity.MESSAGES) == set(FLAGGED)
    assert {one.code for one in measures if not one.flagged} == set(FLAGGED)
    for one in measures:
        above = FLAGGED[one.code] == "above"
        assert one.flagged == (one.value > one.threshold if above else one.value < one.threshold), one


def test_every_row_that_the_manual_explains_is_printed(archive, files):
    manual = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
    table = manual.split("| printed | |")[1].split("\n\n")[0]
    explained = re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)
    printed = lines(run(archive())) + lines(run(files[2]))
    assert len(explained) > 10
    assert [words for words in explained if words not in printed] == []


def test_every_kind_of_attack_has_words():
    assert set(ATTACKS) == set(heldout.RULES)


def test_a_limit_is_printed_with_the_side_that_is_flagged(archive):
    printed = lines(run(archive()))
    assert "measure value flagged ties 0.0000 above 0." in printed
    assert re.search(r"too close \d\.\d{4} below \d", printed)


def test_with_examples_each_has_a_row(archive):
    result = run(archive(), "--examples")
    rows = result.stdout.split("Each example")[1].splitlines()
    assert rows[1].split()[:3] == ["example", "epsilon", "points"]
    assert [row.split()[0] for row in rows[2:5]] == ["0", "1", "2"]
    assert "…" not in result.stdout


def test_an_example_that_cannot_be_scored_is_null_with_a_named_reason(tmp_path, pair):
    pair[0][0, 1] = np.nan
    np.savez(tmp_path / "bad.npz", U=pair[0], R=pair[1])
    result = run(tmp_path / "bad.npz", "--json")
    assert result.exit_code == 1
    assert "1 of 3 examples have no epsilon: U must be finite; it holds nan at (0, 1)." in result.stderr
    written = json.loads(result.stdout)["official"]
    assert written["epsilon"][1] is None
    assert written["reasons"] == [None, "not_finite", None]
    assert written["forgetting_quality"] is None
    printed = " ".join(run(tmp_path / "bad.npz", "--examples").stdout.split())
    assert "Forgetting quality F - none, since an example cannot be scored" in printed
    assert "1 - - " in printed
    assert "not_finite" in printed


def test_a_narrow_terminal_loses_no_digits(archive, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    for arguments in (("--examples",), ("--compare", archive("same.npz"))):
        result = run(archive(), *arguments)
        assert result.exit_code == 0
        assert "…" not in result.stdout
