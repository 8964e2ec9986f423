"""A backup: every row, as one moment saw them, and every blob that they name, in a folder.

`backup.json` is written last and names the file of rows with its SHA-256, so what stands in it is whole. Blobs lie in
`blobs` as in a local storage. A later backup into the same folder copies only the blobs that are new.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine
from sqlalchemy.orm import InstrumentedAttribute, Session

from app import dump
from app.db import read_only, revision, snapshot, unit_of_work
from app.errors import NotFound
from app.garbage import NAMING, ManifestUnreadable, Named, named_by_manifests, named_by_rows
from app.models import Reference
from app.storage import DamagedBlob, LocalStorage, Storage

FORMAT = 1
_INDEX = "backup.json"
OnProgress = Callable[[int, int], None]


class BackupUnusable(Exception):  # noqa: N818 - the name says what happened
    """What is in a folder is no whole backup, or does not fit this database."""


@dataclass(frozen=True)
class Backup:
    """What backup.json says. `missing` are blobs that rows name and that were lost or damaged already."""

    format: int
    revision: str
    at: str  # when the rows were read, ISO, UTC
    rows_file: str
    rows_sha256: str
    rows: int
    blobs: int
    missing: tuple[str, ...]


def back_up(
    engine: Engine,
    storage: Storage,
    folder: Path,
    now: datetime,
    on_progress: OnProgress = lambda _done, _total: None,
) -> Backup:
    """Write a backup. The rows are read first: each blob that they name was put before.

    Only the owner can read it: hashes of passwords and tokens are among the rows, hidden data among the blobs.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    rows = folder / f"rows-{now:%Y%m%dT%H%M%S%f}.jsonl"
    rows.touch(mode=0o600)
    with snapshot(engine) as session, rows.open("w", encoding="utf-8") as file:
        found, count, named = revision(session), dump.write(session, file), named_by_rows(session)
    kept = LocalStorage(folder / "blobs")
    there = {blob.digest for blob in kept.blobs()}
    names = _names(storage, named)
    missing = []
    for done, digest in enumerate(names, start=1):
        if digest not in there and not _copy(storage, kept, digest, folder):
            missing.append(digest)
        on_progress(done, len(names))
    made = Backup(FORMAT, found, now.isoformat(), rows.name, _sha256(rows), count, len(names), tuple(missing))
    _replace(folder / _INDEX, json.dumps(asdict(made), indent=2))
    for old in folder.glob("rows-*.jsonl"):
        if old != rows:
            old.unlink()
    return made


def restore(
    engine: Engine, storage: Storage, folder: Path, on_progress: OnProgress = lambda _done, _total: None
) -> Backup:
    """Bring a backup into an empty database at the same revision: all rows together, after all blobs, or none.

    No transaction is open while blobs are copied, however long that takes. Raises BackupUnusable, having changed no row.
    """
    made = read_index(folder)
    with read_only(engine) as session:
        _check(session, made)
    kept = LocalStorage(folder / "blobs")
    names = _names(kept, _named_in(folder / made.rows_file))
    for done, digest in enumerate(names, start=1):
        if not _copy(kept, storage, digest, folder) and digest not in made.missing:
            raise BackupUnusable(f"its blob {digest} is missing or damaged")
        on_progress(done, len(names))
    with unit_of_work(engine) as session, (folder / made.rows_file).open(encoding="utf-8") as file:
        _check(session, made)
        dump.read(session, file)
    return made


def _check(session: Session, made: Backup) -> None:
    """Raise BackupUnusable unless the backup fits this database."""
    found = revision(session)
    if found != made.revision:
        raise BackupUnusable(
            f"the backup has the tables of revision {made.revision}, and the database those of {found}"
        )
    if dump.has_rows(session):
        raise BackupUnusable("the database is not empty")


def _named_in(rows: Path) -> Named:
    """Return what a file of rows names, as garbage.named_by_rows does for a database's."""

    def column(one: InstrumentedAttribute[Any]) -> set[str]:
        with rows.open(encoding="utf-8") as file:
            return set(dump.values(file, one.class_.__tablename__, one.key)) - {None}

    manifests = column(Reference.digest)
    return Named(frozenset(manifests.union(*map(column, NAMING))), frozenset(manifests))


def read_index(folder: Path) -> Backup:
    """Return what a backup says of itself, its rows checked. Raises BackupUnusable."""
    try:
        found = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise BackupUnusable(f"it has format {found['format']}, and this version reads {FORMAT}")
        made = Backup(**found | {"missing": tuple(found["missing"])})
        whole = _sha256(folder / made.rows_file) == made.rows_sha256
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BackupUnusable(f"there is no whole backup in {folder}: {error}") from error
    if not whole:
        raise BackupUnusable(f"its file {made.rows_file} is damaged")
    return made


def _names(storage: Storage, named: Named) -> list[str]:
    """Return every digest that is named; what a manifest names that cannot be read, nobody knows."""
    names = set(named.all)
    for manifest in named.manifests:
        with suppress(ManifestUnreadable):
            names |= named_by_manifests(storage, [manifest])
    return sorted(names)


def _copy(source: Storage, target: Storage, digest: str, folder: Path) -> bool:
    """Copy a blob by way of a file, in constant memory; False where the source has lost it."""
    half = folder / f"half-{uuid4().hex}"
    try:
        source.save(digest, half)
        target.put_file(half)
    except (NotFound, DamagedBlob):
        return False
    finally:
        half.unlink(missing_ok=True)
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _replace(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    half = path.with_suffix(".half")
    half.touch(mode=0o600)
    half.write_text(text + "\n", encoding="utf-8")
    half.replace(path)
