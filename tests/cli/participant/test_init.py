"""`lethe init`: what it writes passes the door and runs, and it never overwrites."""

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from app.archive import inspect
from app.competitions import Bundle
from cli.participant.bundle import prepared
from tests.cli.service import Answer
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


def rules(entry="unlearning", kind="tuple", **fields):
    return Answer(200, {"entry_function": entry, "batches": {"size": 16, "kind": kind, "fields": fields}})


def test_one_for_a_competition_takes_its_batches_and_has_its_entry_function(lethe, here, service):
    service.on(
        "GET /competitions/faces", rules("forget_them", "dict", image="images", age="labels", id="ids")
    )
    result = lethe("init", "mine", "--competition", "faces")
    assert result.exit_code == 0
    assert "lethe local mine --competition faces" in result.stderr
    net = build_model()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    batch = {"image": torch.randn(16, 1, 8, 8), "age": torch.arange(16) % 4, "id": torch.arange(16)}
    _load(here / "mine/submission.py").forget_them(net, [batch], None, None)
    assert any(not torch.equal(before[name], value) for name, value in net.state_dict().items())
    text = (here / "mine/submission.py").read_text()
    assert "unlearning(" not in text
    assert "In some competitions" not in text


def test_one_for_a_competition_of_pairs_leaves_out_what_others_do(lethe, here, service):
    service.on("GET /competitions/digits", rules())
    assert lethe("init", "mine", "-c", "digits").exit_code == 0
    text = (here / "mine/submission.py").read_text()
    assert "for images, labels in retain_loader:" in text
    assert "In some competitions" not in text


def test_a_competition_that_is_not_there_leaves_no_file(lethe, here):
    result = lethe("init", "mine", "-c", "nothing")
    assert result.exit_code == 1
    assert not (here / "mine").exists()


def test_what_is_no_name_becomes_no_code(lethe, here, service):
    service.on("GET /competitions/digits", rules("a(): import os #"))
    result = lethe("init", "mine", "-c", "digits")
    assert result.exit_code == 1
    assert "names an entry function" in result.stderr
    assert not (here / "mine").exists()


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
