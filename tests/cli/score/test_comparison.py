"""`lethe score --compare`: two submissions against the same retrained models."""

import json

import numpy as np
import pytest

from cli.score import arrays
from grader import draws, report
from grader.comparison import compare
from grader.confidence import confidence
from tests.cli.score.arrays import FULL, LABELS, N, S, lines, logits, refused, run


def test_two_submissions_are_compared_by_paired_differences(archive):
    far = archive("far.npz", U_logits=logits(5, 6.0))
    result = run(archive(), "--compare", far)
    printed = lines(result)
    assert "official score +" in printed
    assert "separated" in printed or "tied: the interval holds 0" in printed
    written = json.loads(run(archive(), "--compare", far, "--json").stdout)
    drawn = []
    for path in (archive(), far):
        inputs = arrays.of_archive(path)
        drawn.append(draws.draw(inputs.U, inputs.R, inputs.second))
    assert written["score"] == report.plain(compare(*drawn))["score"]
    assert written["first"].endswith("full.npz")


def test_a_submission_is_tied_with_itself(archive):
    same = lines(run(archive(), "--compare", archive("same.npz")))
    assert same.count("tied: the interval holds 0") == 3
    assert "separated" not in same


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"R_logits": logits(9)}, "R differs by up to "),
        ({"R_test_accuracy": np.full(N, 0.7)}, "R_test_accuracy differs by up to 0.2 between "),
        ({"R2_logits": logits(9)}, "R2 differs by up to "),
        ({"R_logits": None, "R": np.full((N, S), np.nan)}, "R differs by up to inf between "),
        ({"R_logits": None, "R": np.full((N, S), np.inf)}, "R differs by up to inf between "),
    ],
)
def test_submissions_against_other_retrained_models_are_not_compared(archive, changes, words):
    refused(run(archive(), "--compare", archive("other.npz", **changes)), words)


@pytest.mark.parametrize("name", ["R_test_accuracy", "R2_retain_accuracy"])
def test_what_only_one_of_two_submissions_holds_is_named_with_what_to_do(archive, name):
    full, bare = archive(), archive("bare.npz", **{name: None})
    words = f"{full} holds {name} and {bare} does not; leave {name} out of both, or give both the same"
    refused(run(full, "--compare", bare), words)
    refused(run(bare, "--compare", full), words)


def test_a_second_reference_of_one_submission_only_is_told_as_such(archive):
    full = archive()
    bare = archive("bare.npz", **{name: None for name in FULL if name.startswith("R2")})
    for pair in ((full, bare), (bare, full)):
        refused(
            run(pair[0], "--compare", pair[1]), f"{full} holds R2 and {bare} does not; leave R2 out of both"
        )


def test_retrained_models_of_other_sizes_are_told_by_their_shapes(archive):
    fewer = archive(
        "fewer.npz", **{name: FULL[name][:8] for name in FULL if name.startswith(("U", "R", "sec"))}
    )
    refused(run(archive(), "--compare", fewer), "R is (12, 3) in ")


def test_the_same_models_in_other_digits_are_told_how_far_apart_they_are(archive):
    rounded = (confidence(FULL["R_logits"], LABELS) + np.array([0, 1e-6, -3e-6])).astype(np.float64)
    path = archive("rounded.npz", R_logits=None, R=rounded)
    result = run(archive(), "--compare", path)
    refused(result, "R differs by up to 3e-06 between ")
    assert "If these are the same models, give both files the same array R" in result.stderr
    far = run(archive(), "--compare", archive("far.npz", R_logits=logits(9)))
    assert "If these are the same models" not in far.stderr


def test_confidences_that_are_not_numbers_in_both_are_the_same(archive):
    missing = confidence(FULL["R_logits"], LABELS)
    missing[0, 0] = np.nan
    path = archive(R_logits=None, R=missing)
    refused(run(path, "--compare", path), "has no score to compare, since example 0 has no epsilon")


def test_two_files_cannot_be_compared_with_a_third_way_of_giving_arrays(files):
    refused(
        run("--unlearned", files[0], "--retrained", files[1], "--compare", files[2]), "--compare takes two"
    )


def test_a_comparison_has_no_rows_of_examples(files):
    refused(run(files[2], "--compare", files[2], "--examples"), "Choose one of --compare and --examples")


def test_a_comparison_needs_enough_models_for_halves(tmp_path, pair):
    np.savez(tmp_path / "few.npz", U=pair[0][:4], R=pair[1][:4])
    refused(run(tmp_path / "few.npz", "--compare", tmp_path / "few.npz"), "4")


def test_what_has_no_score_is_not_compared(files, tmp_path, pair):
    pair[0][0, 1] = np.nan
    np.savez(tmp_path / "bad.npz", U=pair[0], R=pair[1])
    words = "bad.npz has no score to compare, since example 1 has no epsilon: a confidence is NaN"
    refused(run(files[2], "--compare", tmp_path / "bad.npz"), words)
    refused(run(tmp_path / "bad.npz", "--compare", files[2]), words)
