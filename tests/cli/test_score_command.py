"""`lethe score`: everything that the grader says, from files alone."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from cli import score_arrays
from cli.score import score
from cli.score_panels import ATTACKS, FLAGGED
from grader import draws, heldout, integrity, report
from grader.comparison import compare
from grader.confidence import confidence
from grader.types import ModelOutputs

N, S, C = 12, 3, 4
LABELS = np.array([0, 1, 3])
ACCURACIES = {
    f"{group}_{part}_accuracy": np.full(N, level)
    for group, level in (("U", 0.8), ("R", 0.9), ("R2", 0.9))
    for part in ("retain", "test", "forget")
}


def logits(seed, shift=0.0):
    values = np.random.default_rng(seed).normal(size=(N, S, C)).astype(np.float32)
    values[:, np.arange(S), LABELS] += shift
    return values


FULL = {
    "U_logits": logits(0, 1.0),
    "R_logits": logits(1),
    "R2_logits": logits(2),
    "original_logits": logits(3)[0],
    "labels": LABELS,
    "seconds": np.linspace(1.0, 2.0, N),
    "cutoff": 4.0,
    **ACCURACIES,
}


@pytest.fixture
def pair():
    rng = np.random.default_rng(3)
    return rng.normal(size=(N, S)), rng.normal(size=(N, S))


@pytest.fixture
def files(tmp_path, pair):
    """Paths of U.npy, R.npy and both.npz."""
    paths = [tmp_path / name for name in ("U.npy", "R.npy", "both.npz")]
    np.save(paths[0], pair[0])
    np.save(paths[1], pair[1])
    np.savez(paths[2], U=pair[0], R=pair[1])
    return paths


@pytest.fixture
def archive(tmp_path):
    """Write an archive of the full arrays with changes; None leaves one out."""

    def write(name="full.npz", **changes):
        arrays = {key: value for key, value in (FULL | changes).items() if value is not None}
        np.savez(tmp_path / name, **arrays)
        return tmp_path / name

    return write


def run(*arguments):
    result = CliRunner().invoke(score, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def refused(result, words):
    """One line on stderr that holds the words, exit code 2, no traceback."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert words in result.stderr


def lines(result):
    """What was printed, with wrapped lines joined."""
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


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
    manual = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
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


def test_two_submissions_are_compared_by_paired_differences(archive):
    far = archive("far.npz", U_logits=logits(5, 6.0))
    result = run(archive(), "--compare", far)
    printed = lines(result)
    assert "official score +" in printed
    assert "separated" in printed or "tied: the interval holds 0" in printed
    written = json.loads(run(archive(), "--compare", far, "--json").stdout)
    drawn = []
    for path in (archive(), far):
        inputs = score_arrays.of_archive(path)
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


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"u": np.zeros(3)}, "unknown names: u; known are U, U_logits"),
        ({"U": np.zeros((N, S))}, "holds both U and U_logits"),
        ({"labels": None}, "holds U_logits but no labels"),
        ({"labels": np.array([0, 1, 4])}, "labels must lie between 0 and 3"),
        ({"labels": np.array([0.0, 1.0, 3.0])}, "labels holds float64"),
        ({"labels": np.zeros((3, 1), int)}, "labels has shape (3, 1)"),
        ({"U_logits": logits(0)[0]}, "U_logits has shape (3, 4)"),
        ({"U_logits": logits(0).astype(np.float16)}, "U_logits holds float16"),
        ({"U_logits": logits(0)[:, :2]}, "U: labels has shape (3,)"),
        ({"R_logits": logits(0)[:5]}, "R_retain_accuracy holds 12 models and confidence holds 5"),
        ({"U_retain_accuracy": np.full(N, np.nan)}, "U_retain_accuracy must be finite"),
        ({"U_test_accuracy": np.ones(N, int)}, "U_test_accuracy holds int64"),
        ({"R2_logits": None}, "no array named R2"),
        ({"original_logits": logits(3)}, "original_logits has shape (12, 3, 4)"),
        ({"seconds": np.ones(N, int)}, "seconds holds int64"),
        ({"seconds": np.ones(N + 1)}, "seconds holds 13 runs"),
        ({"cutoff": np.array([1.0, 2.0])}, "cutoff holds float64 of shape (2,)"),
        ({"cutoff": np.array("soon")}, "cutoff holds <U4"),
        ({"cutoff": -1.0}, "cutoff is -1.0"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_name(archive, changes, words):
    refused(run(archive(**changes)), words)


def test_unequal_sizes_are_refused_with_both_sizes(tmp_path, files, pair):
    np.save(tmp_path / "short.npy", pair[1][:5])
    result = run("--unlearned", files[0], "--retrained", tmp_path / "short.npy")
    refused(result, "N, the number of models: U has 12 and R has 5")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(4), "R has shape (4,)"),
        (np.zeros((12, 3), int), "R holds int64"),
        (np.array([{"a": 1}]), "cannot be read as a .npy file"),
    ],
)
def test_arrays_that_are_not_confidences_are_refused(tmp_path, files, array, words):
    np.save(tmp_path / "bad.npy", array, allow_pickle=True)
    refused(run("--unlearned", files[0], "--retrained", tmp_path / "bad.npy"), words)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x80\x04N.", b"\x93NUMPY", b"\x93NUMPY\x01\x00\x04\x00((((", b"PK\x03\x04oh"]
)
def test_files_that_are_not_arrays_are_refused(tmp_path, files, content):
    bad = tmp_path / "bad"
    bad.write_bytes(content)
    refused(run("--unlearned", bad, "--retrained", files[1]), "bad ")
    refused(run(bad), "bad ")


def test_an_archive_of_other_things_is_refused(tmp_path, files):
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as archive:
        archive.writestr("U", "not an array")
        archive.writestr("R", "not an array")
    refused(run(tmp_path / "text.npz"), "U holds |S12")
    np.savez(tmp_path / "alone.npz", U=np.zeros((2, 2)))
    refused(run(tmp_path / "alone.npz"), "holds no array named R")
    refused(run(files[0]), "is not a .npz file")
    refused(run("--unlearned", files[2], "--retrained", files[1]), "is not a .npy file")


def test_missing_files_and_folders_are_refused(tmp_path, files):
    refused(run(tmp_path / "none.npz"), "does not exist")
    refused(run(tmp_path), "cannot be read")


def test_half_a_pair_or_two_pairs_are_refused(files):
    for arguments in (
        (),
        ("--unlearned", files[0]),
        (files[2], "--retrained", files[1]),
    ):
        refused(run(*arguments), "give either one FILE.npz")


def test_with_json_a_refusal_is_one_object_on_stdout(files):
    result = run(files[0], "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["code"] == "bad_input"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"U_retain_accuracy": np.full(N, 80.0)}, "U_retain_accuracy reaches 80; it must hold shares"),
        ({"seconds": None, "cutoff": -1.0}, "cutoff is -1.0 seconds; it must be a positive number"),
        ({"seconds": np.full(N, -1.0), "cutoff": None}, "seconds must not be negative"),
        ({"seconds": np.array(["soon"]), "cutoff": None}, "seconds holds <U4"),
        (
            {"R2_logits": logits(2)[:5], **{name: None for name in ACCURACIES if name.startswith("R2")}},
            "R2 holds 5 models of 3 examples; it must hold 12 of 3, as R does",
        ),
        (
            {"original": np.zeros(S + 1), "original_logits": None},
            "original holds 4 examples; it must hold 3",
        ),
        ({f"a{index}": np.zeros(1) for index in range(9)}, "unknown names: a0, a1, a2, a3, a4 and 4 more"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_graded(archive, changes, words, monkeypatch):
    monkeypatch.setattr(report, "grade", None)
    refused(run(archive(**changes)), words)


@pytest.mark.parametrize("compared", [False, True])
@pytest.mark.parametrize(
    "changes",
    [
        {"u": np.zeros(3)},
        {"U_logits": logits(0)[0]},
        {"U_logits": logits(0).astype(np.float16)},
        {"U_logits": None, "U": np.zeros((N, S + 1))},
        {"U_logits": np.zeros((N, S, C + 1))},
        {"seconds": np.ones(N + 1)},
    ],
)
def test_a_wrong_array_is_refused_before_what_takes_seconds_to_load(archive, changes, compared):
    wrong = str(archive("wrong.npz", **changes))
    arguments = [str(archive()), "--compare", wrong] if compared else [wrong]
    code = (
        f"import sys; from cli.main import main; sys.argv = {['lethe', 'score', *arguments]!r}\n"
        "try:\n    main()\nfinally:\n    print({'torch', 'numba', 'scipy.stats'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "set()\n"), ended.stderr


def test_an_array_that_is_there_twice_is_refused(files):
    with zipfile.ZipFile(files[2], "a") as archive:
        archive.writestr("U", archive.read("U.npy"))
    refused(run(files[2]), "holds U more than once")


def test_a_small_file_that_unpacks_to_more_than_all_memory_is_refused(files, monkeypatch):
    monkeypatch.setattr(score_arrays.os, "sysconf", lambda _: 16)
    refused(run(files[2]), "this machine has 0.0 GB of memory")


def test_what_has_no_score_is_not_compared(files, tmp_path, pair):
    pair[0][0, 1] = np.nan
    np.savez(tmp_path / "bad.npz", U=pair[0], R=pair[1])
    words = "bad.npz has no score to compare, since example 1 has no epsilon: a confidence is NaN"
    refused(run(files[2], "--compare", tmp_path / "bad.npz"), words)
    refused(run(tmp_path / "bad.npz", "--compare", files[2]), words)


def test_a_narrow_terminal_loses_no_digits(archive, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    for arguments in (("--examples",), ("--compare", archive("same.npz"))):
        result = run(archive(), *arguments)
        assert result.exit_code == 0
        assert "…" not in result.stdout


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_full_disk_is_told_in_one_line(files, arguments):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "cli.main", "score", str(files[2]), *arguments]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (
        1,
        "lethe: No space left on device: what was printed is not whole.\n",
    )
