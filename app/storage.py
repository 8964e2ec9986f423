"""Blobs by their SHA-256, in a local folder."""

import hashlib
import os
import re
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from app.errors import NotFound

_DIGEST = re.compile(r"[0-9a-f]{64}")


class DamagedBlob(OSError):  # noqa: N818 - the name says what happened
    """A stored blob no longer has the bytes that its digest names."""


class Storage(Protocol):
    """Immutable bytes by digest; putting the same bytes twice is one blob."""

    def put(self, data: bytes) -> str:
        """Store bytes durably and return their SHA-256 as 64 hex digits."""

    def put_file(self, path: Path) -> str:
        """Store a copy of a file durably, in constant memory, and return its SHA-256."""

    def get(self, digest: str) -> bytes:
        """Return the bytes of a blob, verified. Raises NotFound, or an OSError where the store is at fault."""


class LocalStorage:
    """Storage under root/ab/abcdef..., each blob written aside, synced to disk, then renamed into place."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> str:
        """Store bytes durably and return their SHA-256 as 64 hex digits."""
        aside = self._aside()
        try:
            aside.write_bytes(data)
            return self._settle(aside)
        finally:
            aside.unlink(missing_ok=True)

    def put_file(self, path: Path) -> str:
        """Store a copy of a file durably, in constant memory, and return its SHA-256."""
        aside = self._aside()
        try:
            shutil.copyfile(path, aside)
            return self._settle(aside)
        finally:
            aside.unlink(missing_ok=True)

    def get(self, digest: str) -> bytes:
        """Return the bytes of a blob, verified. Raises NotFound or DamagedBlob."""
        if not _DIGEST.fullmatch(digest):
            raise NotFound(f"{digest[:80]!r} is not a digest")
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"there is no blob {digest}") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise DamagedBlob(f"blob {digest} is damaged on disk")
        return data

    @property
    def incoming(self) -> Path:
        """Where blobs are written before they get their names."""
        return self._root / "incoming"

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
