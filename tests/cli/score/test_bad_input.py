"""What `lethe score` refuses, and with which words."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cli.score import arrays
from grader import report
from tests.cli.score.arrays import ACCURACIES, C, N, S, logits, refused, run


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
    monkeypatch.setattr(arrays.os, "sysconf", lambda _: 16)
    refused(run(files[2]), "this machine has 0.0 GB of memory")


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_full_disk_is_told_in_one_line(files, arguments):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "cli.main", "score", str(files[2]), *arguments]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (
        1,
        "lethe: No space left on device: what was printed is not whole.\n",
    )
