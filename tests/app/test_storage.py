"""Blobs in a local folder."""

import hashlib
import os
import stat

import pytest

from app.errors import NotFound
from app.storage import DamagedBlob, LocalStorage


@pytest.fixture
def storage(tmp_path):
    return LocalStorage(tmp_path / "blobs")


def only_file(storage):
    (path,) = [path for path in storage._root.rglob("*") if path.is_file()]
    return path


def test_bytes_come_back_under_their_sha256(storage):
    digest = storage.put(b"hello")
    assert digest == hashlib.sha256(b"hello").hexdigest()
    assert storage.get(digest) == b"hello"
    assert only_file(storage).relative_to(storage._root).as_posix() == f"{digest[:2]}/{digest}"


def test_a_file_is_copied_and_left_where_it_was(storage, tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(b"hello")
    assert storage.get(storage.put_file(path)) == b"hello"
    assert path.exists()


def test_nobody_else_on_this_machine_can_read_a_blob(storage, tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(b"world-readable")
    path.chmod(0o644)
    storage.put_file(path)
    storage.put(b"hidden labels")
    blobs = [path for path in storage._root.rglob("*") if path.is_file()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in blobs] == [0o600] * 2


def test_the_same_bytes_twice_are_one_blob(storage):
    assert storage.put(b"hello") == storage.put(b"hello")
    assert only_file(storage)


def test_a_blob_damaged_on_disk_is_never_returned_and_healed_by_another_put(storage):
    digest = storage.put(b"hello")
    only_file(storage).write_bytes(b"hallo")
    with pytest.raises(DamagedBlob, match=digest):
        storage.get(digest)
    storage.put(b"hello")
    assert storage.get(digest) == b"hello"


@pytest.mark.parametrize("digest", ["0" * 64, "../../etc/passwd", "A" * 64, ""])
def test_an_unknown_digest_is_not_found(storage, digest):
    with pytest.raises(NotFound):
        storage.get(digest)


def test_bytes_are_on_disk_before_they_get_their_name(storage, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (steps.append("sync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda *args: (steps.append("rename"), replace(*args)))
    storage.put(b"hello")
    assert steps[:3] == ["sync", "rename", "sync"]


def test_a_put_that_fails_leaves_nothing_behind(storage, monkeypatch):
    def full(_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        storage.put(b"hello")
    assert [path for path in storage._root.rglob("*") if path.is_file()] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files that belong to others")
def test_what_root_stores_belongs_to_the_owner_of_the_data_folder(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 10002, 10002)
    digest = LocalStorage(data / "blobs").put(b"from root")
    made = [data / "blobs", data / "blobs/incoming", data / "blobs" / digest[:2]]
    made.append(made[-1] / digest)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(10002, 10002)}
