"""`lethe admin gc`, `backup` and `restore`, and a storage that cannot be used, as an operator meets them."""

import json
import os
import time

import pytest
from sqlalchemy import update

from app.db import unit_of_work
from app.models import Submission
from app.settings import Settings
from tests.stored import Installation

HOURS = 3600


@pytest.fixture
def place(lethe, tmp_path):
    """An installation with a competition, which the environment names."""
    place = Installation(Settings(data_dir=tmp_path / "data"))
    place.competition()
    yield place
    place.engine.dispose()


def put(place, data, hours_ago):
    """Put bytes as if some hours ago."""
    digest = place.storage.put(data)
    then = time.time() - hours_ago * HOURS
    os.utime(place.blob(digest), (then, then))
    return digest


def test_gc_says_what_it_set_aside_and_kept(lethe, place):
    lost, young = put(place, b"lost", 24 * 8), put(place, b"young", 24 * 6)
    result = lethe("admin", "gc")
    assert result.exit_code == 0
    lines = [line.split("  ") for line in result.stdout.splitlines()]
    assert [words[0] for words in lines[1:]] == [
        "kept",
        "set aside",
        "set aside before, waiting",
        "brought back",
        "removed",
    ]
    assert lines[2][-1].strip() == "4 B"
    assert not place.blob(lost).exists()
    assert place.blob(young).exists()


def test_gc_removes_what_died_in_the_middle_of_being_written(lethe, place):
    folders = [place.storage.incoming, place.settings.data_dir / "uploads"]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for name, age in (("old", 10 * 24 * HOURS), ("young", 60)):
            (folder / name).write_bytes(b"half")
            os.utime(folder / name, (time.time() - age,) * 2)
    assert lethe("admin", "gc", "--dry-run").exit_code == 0
    assert all((folder / "old").exists() for folder in folders)
    assert lethe("admin", "gc").exit_code == 0
    assert [[path.name for path in folder.iterdir()] for folder in folders] == [["young"], ["young"]]


def test_gc_with_another_installations_database_stops_before_most_of_a_storage_leaves(lethe, place):
    for number in range(40):
        put(place, f"theirs {number}".encode(), hours_ago=24 * 10)
    refused = lethe("admin", "gc")
    assert refused.exit_code == 1
    assert "LETHE_STORAGE_URL belong together" in refused.stderr
    assert len(list(place.storage.aside())) == 0
    assert lethe("admin", "gc", "--force").exit_code == 0
    assert len(list(place.storage.aside())) == 40


def test_a_backup_into_the_data_folder_is_refused(lethe, place):
    for folder in (
        place.settings.data_dir,
        place.settings.data_dir / "blobs",
        place.settings.data_dir.parent,
    ):
        assert lethe("admin", "backup", str(folder)).exit_code == 2
    assert not list(place.settings.data_dir.rglob("backup.json"))


def test_gc_dry_runs_and_reports_to_scripts(lethe, place):
    lost = put(place, b"lost", 13)
    told = json.loads(lethe("admin", "gc", "--grace", "12h", "--dry-run", "--json").stdout)
    assert (told["dry_run"], told["grace_seconds"]) == (True, 12 * HOURS)
    assert told["set_aside"] == {"blobs": 1, "bytes": 4}
    assert place.blob(lost).exists()


@pytest.mark.parametrize(
    ("grace", "words"), [("soon", "no time such as"), ("59m", "at least 60m"), ("-1d", "no time")]
)
def test_gc_refuses_a_grace_period_that_is_none_or_not_safe(lethe, place, grace, words):
    result = lethe("admin", "gc", f"--grace={grace}")
    assert (result.exit_code, words in result.stderr) == (2, True)


def test_gc_stops_before_a_manifest_that_is_gone(lethe, place):
    lost = put(place, b"lost", 24 * 8)
    place.blob(place.reference()).unlink()
    result = lethe("admin", "gc")
    assert result.exit_code == 1
    assert "nobody knows what it names" in result.stderr
    assert "Bring the file back from a backup" in result.stderr
    assert place.blob(lost).exists()


def bundle(place):
    """Store the bundle that every submission of an Installation names."""
    with unit_of_work(place.engine) as session:
        session.execute(update(Submission).values(bundle_digest=place.storage.put(b"bundle")))


def test_a_backup_restored_elsewhere_can_be_regraded_there(lethe, place, tmp_path, monkeypatch):
    place.scored("ada")
    bundle(place)
    made = lethe("admin", "backup", str(tmp_path / "backup"), "--json")
    assert made.exit_code == 0
    told = json.loads(made.stdout)
    assert (told["missing"], told["folder"]) == ([], str(tmp_path / "backup"))
    monkeypatch.setenv("LETHE_DATA_DIR", str(tmp_path / "elsewhere"))
    assert "Run `lethe migrate` first" in lethe("admin", "restore", str(tmp_path / "backup")).stderr
    lethe("migrate")
    restored = lethe("admin", "restore", str(tmp_path / "backup"))
    assert restored.exit_code == 0
    assert f"Restored {told['rows']} rows and {told['blobs']} blobs" in restored.stderr
    assert json.loads(lethe("admin", "regrade", "--json").stdout)["graded"] == 1
    again = lethe("admin", "restore", str(tmp_path / "backup"))
    assert (again.exit_code, "the database is not empty" in again.stderr) == (1, True)


def test_a_backup_that_lacks_a_blob_is_told_of_by_its_exit_code(lethe, place, tmp_path):
    place.scored("ada")  # whose bundle is no blob
    result = lethe("admin", "backup", str(tmp_path / "backup"), "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["code"], told["missing"]) == (1, "blobs_missing", ["b" * 64])
    assert f"Lost or damaged: blob {'b' * 64}" in result.stderr


def test_a_folder_without_a_backup_is_refused_in_one_line(lethe, place, tmp_path):
    result = lethe("admin", "restore", str(tmp_path / "nothing"))
    assert result.exit_code == 1
    assert "there is no whole backup in" in result.stderr


@pytest.mark.parametrize(
    "command", [["serve"], ["admin", "gc"], ["admin", "backup", "x"], ["competition", "prepare", "x"]]
)
def test_a_storage_that_makes_no_sense_is_named(lethe, place, monkeypatch, tmp_path, command):
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LETHE_STORAGE_URL", "s3://key:secret@bucket")
    result = lethe(*command)
    assert (result.exit_code, "must be like s3://bucket" in result.stderr) == (2, True)
    assert "secret" not in result.stderr


def test_a_storage_that_is_away_is_told_of(lethe, place, monkeypatch, object_store):
    monkeypatch.setenv("LETHE_STORAGE_URL", "s3://nowhere")
    monkeypatch.setenv("LETHE_STORAGE_ENDPOINT", object_store.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    result = lethe("admin", "gc")
    assert result.exit_code == 1
    assert "no such bucket" in result.stderr
    assert "See LETHE_STORAGE_URL" in result.stderr
