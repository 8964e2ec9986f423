import json
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

from cli.score import score
from grader import VERSION, official


@pytest.fixture
def pair():
    rng = np.random.default_rng(3)
    return rng.normal(size=(12, 3)), rng.normal(size=(12, 3))


@pytest.fixture
def files(tmp_path, pair):
    """Paths of U.npy, R.npy and both.npz."""
    paths = [tmp_path / name for name in ("U.npy", "R.npy", "both.npz")]
    np.save(paths[0], pair[0])
    np.save(paths[1], pair[1])
    np.savez(paths[2], U=pair[0], R=pair[1])
    return paths


def run(*arguments):
    return CliRunner().invoke(score, [str(argument) for argument in arguments])


def refused(result, words):
    """One line on stderr that holds the words, exit code 2, no traceback."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_json_holds_the_graders_own_numbers(files, pair):
    written = json.loads(run("--unlearned", files[0], "--retrained", files[1], "--json").stdout)
    epsilon = official.epsilons(*pair).epsilon
    awarded = official.points(epsilon, 12)
    assert written == {
        "n_models": 12,
        "n_examples": 3,
        "epsilon": epsilon.tolist(),
        "points": awarded.tolist(),
        "reasons": [None, None, None],
        "forgetting_quality": awarded.mean(),
        "grader_version": VERSION,
    }


def test_one_file_with_both_arrays_gives_the_same(files):
    apart = run("--unlearned", files[0], "--retrained", files[1], "--json").stdout
    assert run(files[2], "--json").stdout == apart


def test_people_get_a_table_with_quality_and_sizes(files):
    result = run(files[2])
    assert result.exit_code == 0
    for words in ("epsilon", "points", "Forgetting quality F: 0.", "N = 12 models, S = 3 examples"):
        assert words in result.stdout
    assert "why not" not in result.stdout


def test_an_example_that_cannot_be_scored_is_null_with_a_named_reason(tmp_path, pair):
    pair[0][0, 1] = np.nan
    np.savez(tmp_path / "bad.npz", U=pair[0], R=pair[1])
    written = json.loads(run(tmp_path / "bad.npz", "--json").stdout)
    assert written["epsilon"][1] is None
    assert written["points"][1] is None
    assert written["reasons"] == [None, "not_finite", None]
    assert written["forgetting_quality"] is None
    shown = run(tmp_path / "bad.npz").stdout
    assert "not_finite" in shown
    assert "F: none, since an example cannot be scored" in shown


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
