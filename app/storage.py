"""Blobs by their SHA-256: what every storage does, and the one in a local folder."""

# ruff: noqa: N818 - the names of errors say what happened

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import uuid4

from app.errors import NotFound
from app.settings import Settings

_DIGEST = re.compile(r"[0-9a-f]{64}")
CHUNK = 1 << 20


class StorageAway(OSError):
    """The store cannot be reached, or refuses what it should do."""


class DamagedBlob(OSError):
    """A stored blob no longer has the bytes that its digest names."""


class StorageMisconfigured(ValueError):
    """The settings name no storage that can be used."""


@dataclass(frozen=True)
class Blob:
    """A blob that a store lists: in its place, or set aside."""

    digest: str
    n_bytes: int
    at: datetime
    """When it was last put or, if it is set aside, when that was."""
    name: str
    """Where the store keeps it."""


class Storage(Protocol):
    """Immutable bytes by digest; putting the same bytes twice is one blob, which is then as young as the second put.

    A blob is removed in two steps, so that no reader and no put can lose one: it is set aside, from where it can
    still be read, and later discarded or brought back. See app.garbage.
    """

    def put(self, data: bytes) -> str:
        """Store bytes durably and return their SHA-256 as 64 hex digits."""

    def put_file(self, path: Path) -> str:
        """Store a copy of a file durably, in constant memory, and return its SHA-256."""

    def get(self, digest: str) -> bytes:
        """Return the bytes of a blob, verified. Raises NotFound, or an OSError where the store is at fault."""

    def save(self, digest: str, path: Path) -> None:
        """Write a blob to a file, verified, in constant memory. Raises as `get` does."""

    def blobs(self) -> Iterator[Blob]:
        """List what is in its place."""

    def set_aside(self, blob: Blob) -> None:
        """Take a blob out of its place, under a name that it has never had; it can still be read."""

    def aside(self) -> Iterator[Blob]:
        """List what is set aside; a blob may be there more than once."""

    def bring_back(self, blob: Blob) -> None:
        """Put what is set aside in its place again."""

    def discard(self, blob: Blob) -> None:
        """Remove what is set aside, for good."""

    def sweep(self, before: datetime) -> None:
        """Remove what puts left half-written whose process died before a moment."""


PATIENCE = timedelta(seconds=30)


def open_storage(settings: Settings, patience: timedelta = PATIENCE) -> Storage:
    """Return the storage that the settings name. Raises StorageMisconfigured.

    A request to a store that fails for a reason that may pass is tried again for as long as `patience`.
    """
    if not settings.storage_url:
        return LocalStorage(settings.data_dir / "blobs")
    try:
        from app.object_storage import open_object_storage  # noqa: PLC0415 - an extra that few need
    except ModuleNotFoundError as error:
        raise StorageMisconfigured(
            "LETHE_STORAGE_URL needs a package that is not installed: pip install -c constraints.txt -e '.[s3]'"
        ) from error
    return open_object_storage(settings, patience)


def is_digest(word: str) -> bool:
    """Tell whether a word is a SHA-256 in hex."""
    return _DIGEST.fullmatch(word) is not None


def check_digest(digest: str) -> None:
    """Raise NotFound for what can be no digest, before it becomes part of a path."""
    if not is_digest(digest):
        raise NotFound(f"{digest[:80]!r} is not a digest")


def verified(data: bytes, digest: str) -> bytes:
    """Return the bytes if they are those of the digest. Raises DamagedBlob."""
    if hashlib.sha256(data).hexdigest() != digest:
        raise DamagedBlob(f"blob {digest} is damaged in storage")
    return data


def write_verified(chunks: Iterable[bytes], digest: str, path: Path) -> None:
    """Write chunks to a file that only its owner can read. Raises DamagedBlob if they are not those of the digest."""
    found = hashlib.sha256()
    path.touch(mode=0o600)
    with path.open("wb") as file:
        for chunk in chunks:
            found.update(chunk)
            file.write(chunk)
    if found.hexdigest() != digest:
        raise DamagedBlob(f"blob {digest} is damaged in storage")


class LocalStorage:
    """Storage under root/ab/abcdef..., each blob written aside, synced to disk, then renamed into place."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> str:
        """Store bytes durably and return their SHA-256 as 64 hex digits. Raises StorageAway, as for a full disk."""
        return self._put(lambda aside: aside.write_bytes(data))

    def put_file(self, path: Path) -> str:
        """Store a copy of a file durably, in constant memory, and return its SHA-256. Raises StorageAway."""
        return self._put(lambda aside: shutil.copyfile(path, aside))

    def _put(self, write: Callable[[Path], object]) -> str:
        try:
            aside = self._aside()
            try:
                write(aside)
                return self._settle(aside)
            finally:
                aside.unlink(missing_ok=True)
        except OSError as error:
            raise StorageAway(f"nothing can be stored in {self._root}: {error.strerror}") from error

    def get(self, digest: str) -> bytes:
        """Return the bytes of a blob, verified. Raises NotFound, DamagedBlob or StorageAway."""
        with self._reading(), self._open(digest) as file:
            return verified(file.read(), digest)

    def save(self, digest: str, path: Path) -> None:
        """Write a blob to a file, verified, in constant memory. Raises NotFound, DamagedBlob or StorageAway."""
        with self._reading(), self._open(digest) as file:
            write_verified(iter(lambda: file.read(CHUNK), b""), digest, path)

    def blobs(self) -> Iterator[Blob]:
        """List what is in its place."""
        for path in self._root.glob("[0-9a-f][0-9a-f]/*"):
            yield from _listed(path, path.name)

    def set_aside(self, blob: Blob) -> None:
        """Rename a blob to a name that it has never had. One that is gone was set aside by somebody else."""
        self._make(self._leaving)
        place = self._path(blob.digest)
        with suppress(FileNotFoundError):
            os.utime(place)  # first: a crash in between must not leave one aside that looks long gone
            place.rename(self._leaving / f"{blob.digest}.{uuid4().hex}")

    def aside(self) -> Iterator[Blob]:
        """List what is set aside."""
        for path in self._leaving.glob("*.*"):
            yield from _listed(path, path.stem)

    def bring_back(self, blob: Blob) -> None:
        """Rename what is set aside to where it was."""
        place = self._path(blob.digest)
        self._make(place.parent)
        with suppress(FileNotFoundError):  # somebody else was quicker
            (self._leaving / blob.name).rename(place)

    def discard(self, blob: Blob) -> None:
        """Remove what is set aside."""
        (self._leaving / blob.name).unlink(missing_ok=True)

    def sweep(self, before: datetime) -> None:
        """Remove what puts left half-written whose process died before a moment."""
        sweep(self.incoming, before)

    @property
    def incoming(self) -> Path:
        """Where blobs are written before they get their names."""
        return self._root / "incoming"

    @property
    def _leaving(self) -> Path:
        return self._root / "leaving"

    def _open(self, digest: str) -> BinaryIO:
        """Open a blob where it is. One that changes places just then is missed once or twice, hardly eight times."""
        check_digest(digest)
        for look in (self._in_place, self._set_aside) * 4:
            with suppress(FileNotFoundError, StopIteration):
                return look(digest)
        raise NotFound(f"there is no blob {digest}")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (StorageAway, DamagedBlob):
            raise
        except OSError as error:
            raise StorageAway(f"{self._root} cannot be read: {error.strerror}") from error

    def _in_place(self, digest: str) -> BinaryIO:
        return self._path(digest).open("rb")

    def _set_aside(self, digest: str) -> BinaryIO:
        return next(self._leaving.glob(f"{digest}.*")).open("rb")

    def _path(self, digest: str) -> Path:
        return self._root / digest[:2] / digest

    def _aside(self) -> Path:
        self._make(self.incoming)
        aside = self.incoming / uuid4().hex
        aside.touch(mode=0o600)  # hidden data and participants' code: for nobody else on this machine
        self._give(aside)
        return aside

    def _make(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            for one in (self._root, folder):
                self._give(one)

    def _give(self, path: Path) -> None:
        """Let what root makes belong to the data folder's owner: a worker may be root where the web service is not."""
        if os.geteuid() == 0:
            owner = self._root.parent.stat()
            os.chown(path, owner.st_uid, owner.st_gid)

    def _settle(self, aside: Path) -> str:
        """Give a complete file its final name. An existing blob is replaced, which also heals a damaged one."""
        with aside.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        final = self._path(digest)
        new_folder = not final.parent.exists()
        self._make(final.parent)
        aside.replace(final)
        _sync_folder(final.parent)
        if new_folder:
            _sync_folder(self._root)
        return digest


def _listed(path: Path, digest: str) -> Iterator[Blob]:
    """Yield a file as a blob, unless it is none or has just gone."""
    with suppress(FileNotFoundError):
        found = path.stat()
        if is_digest(digest):
            yield Blob(digest, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC), path.name)


def sweep(folder: Path, before: datetime) -> None:
    """Remove files last written before a moment: what a process that died left behind."""
    for path in folder.glob("*"):
        with suppress(OSError):  # another process may be sweeping too
            if path.stat().st_mtime < before.timestamp():
                path.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a rename in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    with suppress(OSError):  # some file systems cannot sync a folder
        os.fsync(descriptor)
    os.close(descriptor)
