"""What only the local folder promises: modes, the order of writes, no leftovers."""

import errno
import os
import stat
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from app.storage import LocalStorage, StorageAway


@pytest.fixture
def storage(tmp_path):
    return LocalStorage(tmp_path / "blobs")


def files(storage):
    return [path for path in storage._root.rglob("*") if path.is_file()]


def test_a_blob_lies_under_its_digest(storage):
    digest = storage.put(b"hello")
    assert [path.relative_to(storage._root).as_posix() for path in files(storage)] == [
        f"{digest[:2]}/{digest}"
    ]


def test_nobody_else_on_this_machine_can_read_a_blob(storage, tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(b"world-readable")
    path.chmod(0o644)
    storage.put_file(path)
    storage.put(b"hidden labels")
    assert [stat.S_IMODE(path.stat().st_mode) for path in files(storage)] == [0o600] * 2


def test_bytes_are_on_disk_before_they_get_their_name(storage, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (steps.append("sync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda *args: (steps.append("rename"), replace(*args)))
    storage.put(b"hello")
    assert steps[:3] == ["sync", "rename", "sync"]


def test_a_put_that_fails_leaves_nothing_behind(storage, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageAway, match="no space"):
        storage.put(b"hello")
    assert files(storage) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_a_store_that_is_away_and_not_a_lost_blob(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
    try:
        storage = LocalStorage(disk / "blobs")
        kept = storage.put(b"small")
        with pytest.raises(StorageAway, match="No space left"):
            storage.put(bytes(2 << 20))
        assert storage.get(kept) == b"small"
        assert list(storage.incoming.iterdir()) == []
        assert storage.put(b"after")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_what_a_dead_process_left_half_written_is_swept_and_blobs_are_not(storage):
    storage.put(b"hello")
    (storage.incoming / "half").write_bytes(b"he")
    storage.sweep(datetime.now(UTC) - timedelta(hours=1))
    assert len(files(storage)) == 2
    storage.sweep(datetime.now(UTC) + timedelta(hours=1))
    assert [path.name for path in storage.incoming.iterdir()] == []
    assert len(files(storage)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files that belong to others")
def test_what_root_stores_belongs_to_the_owner_of_the_data_folder(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 10002, 10002)
    digest = LocalStorage(data / "blobs").put(b"from root")
    made = [data / "blobs", data / "blobs/incoming", data / "blobs" / digest[:2]]
    made.append(made[-1] / digest)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(10002, 10002)}
