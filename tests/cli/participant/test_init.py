"""`lethe init`: what it writes passes the door and runs, and it never overwrites."""

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from app.archive import inspect
from app.competitions import Bundle
from cli.participant.bundle import prepared
from tests.fixtures.tiny.model import build_model
from worker.recipe import _load


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_starter_passes_the_door(lethe, here):
    result = lethe("init")
    assert (result.exit_code, result.stdout) == (0, "my-method\n")
    assert "lethe local my-method" in result.stderr
    assert "lethe submit my-method" in result.stderr
    with prepared(here / "my-method") as bundle:
        assert inspect(bundle.path, Bundle(), "unlearning").files == ("submission.py",)


def test_the_starter_changes_the_network_by_what_is_kept(lethe, here):
    lethe("init", "deep/down")
    unlearning = _load(here / "deep/down/submission.py").unlearning
    net = build_model()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    kept = DataLoader(TensorDataset(torch.randn(32, 1, 8, 8), torch.arange(32) % 4), batch_size=16)
    unlearning(net, kept, None, None)
    assert any(not torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_nothing_is_overwritten(lethe, here):
    folder = here / "mine"
    folder.mkdir()
    (folder / "submission.py").write_text("weeks of work")
    result = lethe("init", "mine")
    assert result.exit_code == 1
    assert "mine/submission.py is there already, and stays as it is." in result.stderr
    assert (folder / "submission.py").read_text() == "weeks of work"


def test_a_folder_with_other_files_gets_one_more(lethe, here):
    (here / "notes.md").write_text("ideas")
    assert lethe("init", ".").exit_code == 0
    assert (here / "submission.py").exists()


def test_a_place_where_nothing_can_be_written_is_named(lethe, here):
    (here / "file").write_text("")
    result = lethe("init", "file/inside")
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
