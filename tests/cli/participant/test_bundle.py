import os
import time
import zipfile

import pytest

from cli.errors import CliError
from cli.participant.bundle import collect, prepared


def digest(path):
    with prepared(path) as bundle:
        return bundle.digest


def test_the_same_files_make_the_same_bytes_whatever_their_dates_modes_and_order(tmp_path):
    for name, order in (
        ("one", ["b.py", "submission.py", "a.py"]),
        ("two", ["a.py", "submission.py", "b.py"]),
    ):
        (tmp_path / name).mkdir()
        for file in order:
            (tmp_path / name / file).write_text(f"# {file}\n")
    os.utime(tmp_path / "two" / "a.py", (time.time() - 10**7,) * 2)
    (tmp_path / "two" / "b.py").chmod(0o700)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_another_content_makes_another_digest(folder):
    before = digest(folder)
    (folder / "submission.py").write_text("x = 1\n")
    assert digest(folder) != before


def test_an_archive_unpacks_to_the_files_in_sorted_order_with_forward_slashes(folder):
    (folder / "lib" / "deep").mkdir(parents=True)
    (folder / "lib" / "deep" / "tool.py").write_text("y = 2\n")
    with prepared(folder) as bundle, zipfile.ZipFile(bundle.path) as archive:
        assert archive.namelist() == ["lib/deep/tool.py", "submission.py"]
        assert archive.read("lib/deep/tool.py") == b"y = 2\n"
        assert archive.testzip() is None


def test_caches_hidden_files_and_virtual_environments_stay_out(folder):
    for name in (
        "__pycache__/submission.pyc",
        ".git/config",
        ".venv/x.py",
        ".env",
        "env/pyvenv.cfg",
        "lib/__pycache__/a",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    files, skipped = collect(folder)
    assert files == ("submission.py",)
    assert skipped == (".env", ".git", ".venv", "__pycache__", "env", "lib/__pycache__")


def test_the_temporary_archive_goes_away(folder):
    with prepared(folder) as bundle:
        assert bundle.path.exists()
    assert not bundle.path.exists()


def test_a_zip_is_sent_as_it_is(tmp_path):
    path = tmp_path / "mine.zip"
    path.write_bytes(b"whatever it holds is for the service to judge")
    with prepared(path) as bundle:
        assert (bundle.path, bundle.n_bytes, bundle.files) == (path, 45, ())


def test_a_folder_without_submission_py_is_refused(tmp_path):
    with pytest.raises(CliError, match=r"no submission\.py at the root") as caught:
        collect(tmp_path)
    assert caught.value.code == "missing_submission_py"


def test_a_submission_py_one_folder_further_in_is_pointed_out(folder):
    with pytest.raises(CliError) as caught:
        collect(folder.parent)
    assert str(folder) in caught.value.advice


def test_a_link_is_refused_by_name(folder):
    (folder / "data.npy").symlink_to("/etc/hostname")
    with pytest.raises(CliError, match=r"data\.npy is a link"):
        collect(folder)


def test_a_pipe_is_refused_rather_than_read_for_ever(folder):
    os.mkfifo(folder / "pipe")
    with pytest.raises(CliError, match="not a plain file"):
        collect(folder)


def test_a_name_that_is_no_text_is_refused(folder):
    (folder / os.fsdecode(b"caf\xe9.py")).touch()
    with pytest.raises(CliError, match="not a valid file name"):
        collect(folder)
