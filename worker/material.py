"""A reference's files on this machine, fetched once from storage into a cache by digest."""

import json
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from app.storage import DamagedBlob, Storage, StorageAway
from worker.files import read_npz
from worker.weights import Layout, layout_of

MANIFEST = "manifest.json"
SANDBOX, SMOKE = "sandbox/", "smoke/"
"""What sandboxes see: of the hidden data, or the public data of smoke runs, never both. The rest lies beside them."""


@dataclass(frozen=True)
class Material:
    """A split's folder: `sandbox` is everything that participants' code may see; the rest stays outside.

    `smoke` is what it sees in smoke runs, whose logs are shown: nothing in it is hidden.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def sandbox(self) -> Path:
        """The folder that is mounted into sandboxes."""
        return self.folder / SANDBOX

    @property
    def smoke(self) -> Path:
        """The folder that is mounted into the sandboxes of smoke runs; there only if the reference has public data."""
        return self.folder / SMOKE

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return {retain,forget,val,test}_{images,labels} (the test ones are hidden), ids and extras."""
        return read_npz(self.sandbox / "material.npz") | read_npz(self.folder / "hidden.npz")

    def outputs(self) -> dict[str, NDArray[Any]]:
        """Return {retrained,ceiling}_{forget_logits [N, S, C],retain_accuracy,test_accuracy,seconds [N]}."""
        return read_npz(self.folder / "outputs.npz")

    def original(self) -> dict[str, torch.Tensor]:
        """Return the original model's state dict."""
        return {
            name: torch.from_numpy(array) for name, array in read_npz(self.sandbox / "original.npz").items()
        }

    def layout(self) -> Layout:
        """Return the names, types and shapes that every run's weights must have."""
        return layout_of(self.original())


_HALF = ".half-"


def fetch(storage: Storage, reference_digest: str, cache_dir: Path) -> Material:
    """Return a reference's folder in the cache, fetching it first if need be. Storage checks every digest.

    The folder appears whole or not at all, so several processes may fetch the same one at once. Only what is for
    sandboxes, which run under other users, can be read by them.
    """
    folder = cache_dir / reference_digest
    if not folder.exists():
        _fetch_into(storage, reference_digest, folder)
    return Material(folder, json.loads((folder / MANIFEST).read_bytes()))


def sweep(cache_dir: Path, before: datetime) -> None:
    """Remove what workers left half-fetched that died before a moment."""
    for half in cache_dir.glob(f"{_HALF}*"):
        with suppress(FileNotFoundError):  # another worker may be sweeping too
            if half.stat().st_mtime < before.timestamp():
                shutil.rmtree(half, ignore_errors=True)


def _fetch_into(storage: Storage, reference_digest: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.parent.chmod(0o711)
    try:
        half = Path(tempfile.mkdtemp(dir=folder.parent, prefix=_HALF))
    except OSError as error:
        raise StorageAway(f"nothing can be kept in {folder.parent}: {error.strerror}") from error
    try:
        manifest = storage.get(reference_digest)
        _write(half, MANIFEST, manifest)
        for name, digest in json.loads(manifest)["files"].items():
            _write(half, name, storage.get(digest))
        half.chmod(0o711)
        _move(half, folder)
    except (DamagedBlob, StorageAway):
        raise
    except OSError as error:
        raise StorageAway(f"nothing can be kept in {folder.parent}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _write(half: Path, name: str, data: bytes) -> None:
    path, shared = half / name, name.startswith((SANDBOX, SMOKE))
    if shared:
        path.parent.mkdir(exist_ok=True)
        path.parent.chmod(0o755)
    path.touch(mode=0o600)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o644 if shared else 0o600)


def _move(half: Path, folder: Path) -> None:
    """Rename the finished folder; if somebody else was quicker, theirs is as good."""
    try:
        half.rename(folder)
    except OSError:
        if not folder.exists():
            raise
