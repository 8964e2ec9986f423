import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.organiser.competition import competition

ROOT = Path(__file__).parents[3]
TINY = ROOT / "tests" / "fixtures" / "tiny"


@pytest.fixture
def lethe(tmp_path, monkeypatch):
    """Call `lethe competition ...` on data of its own."""
    monkeypatch.setenv("LETHE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("LETHE_COMPETITIONS_DIR", str(TINY.parent))
    return lambda *arguments: CliRunner().invoke(competition, [str(argument) for argument in arguments])


def test_a_valid_folder_is_described_and_ends_with_0(lethe):
    result = lethe("validate", TINY)
    assert result.exit_code == 0
    assert "models to train  17" in result.stdout
    assert "The folder is valid." in result.stderr


def test_a_slug_names_a_folder_in_the_competitions_directory(lethe):
    result = lethe("validate", "tiny", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["forget_public"] == 6


def test_an_invalid_folder_ends_with_1_and_one_line(lethe, tmp_path):
    folder = shutil.copytree(TINY, tmp_path / "broken")
    (folder / "model.py").write_text("def train(model, images, labels, *, device, on_epoch): ...\n")
    result = lethe("validate", folder)
    assert result.exit_code == 1
    assert result.stderr == f"lethe: {folder / 'model.py'} defines no function build_model()\n"
    assert result.stdout == ""


def test_a_folder_that_is_not_there_ends_with_2(lethe):
    result = lethe("prepare", "nowhere", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["code"] == "no_such_competition"


def test_preparing_without_tables_says_which_command_makes_them(lethe):
    result = lethe("prepare", "tiny")
    assert result.exit_code == 1
    assert "lethe migrate" in result.stderr


def test_preparing_prints_what_was_measured_and_warns_on_stderr_where_that_is_too_weak(lethe):
    CliRunner().invoke(main, ["migrate"])
    result = lethe("prepare", "tiny", "--json")
    assert result.exit_code == 0
    public = json.loads(result.stdout)["splits"]["public"]
    assert any("hardly memorises" in warning for warning in public["warnings"])
    for warning in public["warnings"]:
        assert f"Warning, public split: {warning}." in result.stderr
