"""A participant's folder as a zip archive: the same files always make the same bytes."""

import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.errors import CliError, usage_error

ENTRY_FILE = "submission.py"
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_SKIPPED_FOLDERS = {"__pycache__"}


@dataclass(frozen=True)
class Bundle:
    """A zip archive on disk; `files` is empty where the participant brought the archive."""

    path: Path
    digest: str
    n_bytes: int
    files: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


@contextmanager
def prepared(path: Path) -> Iterator[Bundle]:
    """Give a zip as it is, or a folder zipped to a temporary file that goes away afterwards."""
    if path.is_file():
        yield Bundle(path, *_measure(path))
        return
    files, skipped = collect(path)
    with tempfile.TemporaryDirectory(prefix="lethe-") as folder:
        archive = Path(folder) / "bundle.zip"
        pack(path, files, archive)
        yield Bundle(archive, *_measure(archive), files=files, skipped=skipped)


def collect(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the files to pack and what is left out, both sorted, as paths inside the folder.

    Left out: hidden files and folders, __pycache__ and virtual environments. Raises CliError for links, other things
    that are no files, and a folder without submission.py.
    """
    files: list[str] = []
    skipped: list[str] = []
    _walk(folder, "", files, skipped)
    if ENTRY_FILE not in files:
        raise _no_entry_file(folder, files)
    return tuple(sorted(files)), tuple(sorted(skipped))


def pack(folder: Path, files: tuple[str, ...], archive: Path) -> None:
    """Write the archive: given order, fixed dates and permissions, no extra fields."""
    with zipfile.ZipFile(archive, "w") as target:
        for name in files:
            entry = zipfile.ZipInfo(name, date_time=_DATE)
            entry.create_system = 3  # Unix, wherever this runs
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            _add(target, entry, folder / name)


def _walk(folder: Path, prefix: str, files: list[str], skipped: list[str]) -> None:
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise usage_error(f"{folder} cannot be read: {error.strerror}.", "unreadable_bundle") from error
    for entry in entries:
        name = prefix + entry.name
        if entry.name.startswith(".") or entry.name in _SKIPPED_FOLDERS:
            skipped.append(name)
        elif not _portable(name):
            raise CliError(f"{name!r} is not a valid file name.", code="unsafe_name", advice="Rename it.")
        elif entry.is_symlink():
            raise CliError(
                f"{name} is a link.", code="unsafe_entry", advice="Put the file itself in its place."
            )
        elif entry.is_dir():
            if Path(entry.path, "pyvenv.cfg").exists():
                skipped.append(name)
            else:
                _walk(Path(entry.path), f"{name}/", files, skipped)
        elif entry.is_file():
            files.append(name)
        else:
            raise CliError(f"{name} is not a plain file.", code="unsafe_entry", advice="Leave it out.")


def _portable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes on this disk that are no UTF-8
        return False
    return True


def _no_entry_file(folder: Path, files: list[str]) -> CliError:
    nested = sorted(name for name in files if name.endswith(f"/{ENTRY_FILE}"))
    advice = "Put your entry function in a file of that name."
    if nested:
        advice = f"There is one further in: submit {folder / Path(nested[0]).parent} instead."
    message = f"There is no {ENTRY_FILE} at the root of {folder}."
    return CliError(message, code="missing_submission_py", advice=advice)


def _add(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    try:
        with path.open("rb") as source:
            entry.file_size = os.fstat(source.fileno()).st_size  # decides whether the entry needs zip64
            with archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target)
    except OSError as error:
        raise usage_error(f"{path} cannot be packed: {error.strerror}.", "unreadable_bundle") from error


def _measure(path: Path) -> tuple[str, int]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return digest, file.tell()
    except OSError as error:
        raise usage_error(f"{path} cannot be read: {error.strerror}.", "unreadable_bundle") from error
