"""A competition's public data as files to download: what its smoke runs see, and nothing else of a reference.

An organiser who gives data for smoke runs declares them public. They lie in the reference of the public split, beside
everything that is hidden, and this module is the only one that gives files of a reference out: those below PUBLIC in its
manifest. Copies in a folder of this machine are what is sent, so that a download can be resumed at any byte.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from app.errors import NotFound
from app.npy import ArrayHeader, arrays_of
from app.storage import Storage

PUBLIC = "smoke/"
"""Where a reference's manifest has what is public; everything else in it is hidden."""
_WHAT = {
    "model.py": "The network and how it is trained: build_model() and train().",
    "original.npz": "Weights of the network to start from, trained on the public data: its state dict, an array for each entry.",
    "material.npz": "Images, labels and ids of the retain, forget and validation sets.",
    "material.json": "How batches are made, and the name of the entry function.",
}


@dataclass(frozen=True)
class PublicFile:
    """One file that anybody may have."""

    name: str
    digest: str
    n_bytes: int
    what: str
    arrays: tuple[ArrayHeader, ...]  # of an npz file


class PublicFiles:
    """The public files of references, copied out of the storage when somebody first asks, and checked by digest."""

    def __init__(self, storage: Storage, folder: Path) -> None:
        self._storage = storage
        self._folder = folder
        self._known: dict[str, tuple[PublicFile, ...]] = {}  # by reference digest; references never change

    def of(self, reference_digest: str) -> Sequence[PublicFile]:
        """Return a reference's public files by name. Raises NotFound, or an OSError where the storage is at fault."""
        if reference_digest not in self._known:
            listed = json.loads(self._storage.get(reference_digest))["files"]
            public = {
                name.removeprefix(PUBLIC): one for name, one in listed.items() if name.startswith(PUBLIC)
            }
            self._known[reference_digest] = tuple(
                self._described(name, digest) for name, digest in sorted(public.items())
            )
        return self._known[reference_digest]

    def find(self, reference_digest: str, digest: str) -> tuple[PublicFile, Path]:
        """Return a public file of a reference and its copy. Raises NotFound for whatever is not public in it."""
        for one in self.of(reference_digest):
            if one.digest == digest:
                return one, self._copy(digest)
        raise NotFound(
            "The public data hold no such file now.",
            advice="Read the list of files again: the competition may have been prepared anew.",
        )

    def _described(self, name: str, digest: str) -> PublicFile:
        path = self._copy(digest)
        arrays = arrays_of(path) if name.endswith(".npz") else ()
        return PublicFile(name, digest, path.stat().st_size, _WHAT.get(name, ""), arrays)

    def _copy(self, digest: str) -> Path:
        """Return the copy, whole and verified; two that make it at once make the same."""
        path = self._folder / digest
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            half = self._folder / f".half-{uuid4().hex}"
            try:
                self._storage.save(digest, half)
                half.replace(path)
            finally:
                half.unlink(missing_ok=True)
        return path
