"""Is an upload a bundle that can be run? Answered in constant memory, trusting none of the archive's own numbers."""

import json
import os
import signal
import stat
import struct
import subprocess
import sys
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from app import source_check
from app.competitions import Bundle
from app.errors import BundleTooLarge, Busy, Rejected
from app.limits import Gate

MAIN = "submission.py"
_MAX_NAME_BYTES = 240
_MAX_DEPTH = 20
_BYTES_PER_ENTRY = 2_000  # of the table of contents: a fixed part, a name, extra fields, a comment
_CHUNK = 64 * 1024
_CHECK_SECONDS = 20.0
_CHECKERS = Gate(
    os.cpu_count() or 1, waiting=20, patience=10.0, words="Too many bundles are checked at once."
)
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64_BYTES = 20
_LOCAL = struct.Struct("<4s5H3L2H")
_EXTRA = struct.Struct("<HH")
_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000
_PATCH_FLAG = 0x20
_UTF8_FLAG = 0x800
_SECOND_NAME = 0x7075  # an extra field; some programs unpack under the name in there


@dataclass(frozen=True)
class Manifest:
    """What a bundle holds, without folders and what operating systems and Python leave behind."""

    files: tuple[str, ...]
    unpacked_bytes: int


def inspect(path: Path, limits: Bundle, entry_function: str) -> Manifest:
    """Check an upload. Raises Rejected with the reason's code and a detail that names the entry or line at fault.

    Raises Busy when too many are checked at once.
    """
    if path.stat().st_size > limits.max_bytes:
        raise BundleTooLarge(limits.max_bytes)
    with path.open("rb") as file:
        _check_contents_table(file, limits)
        try:
            with ZipFile(file) as archive:
                entries = archive.infolist()
        except UnicodeDecodeError as error:
            raise Rejected("unsafe_name", "A name is not valid UTF-8.") from error
        except (BadZipFile, ValueError, NotImplementedError, OverflowError, struct.error, OSError) as error:
            raise Rejected("damaged_archive", f"Its table of contents cannot be read: {error}") from error
        _check_entries(entries, limits)
        unpacked, source = _read_everything(file, entries, limits.max_unpacked_bytes)
    files = tuple(entry.filename for entry in entries if not entry.is_dir() and not _is_junk(entry.filename))
    if source is None:
        raise Rejected("missing_submission_py", _where_it_is(files))
    _check_source(source, entry_function)
    return Manifest(files, unpacked)


def _most_entries(limits: Bundle) -> int:
    """Return a cap on entries of every kind; folders and junk are not counted as files, but cost time."""
    return 4 * limits.max_files + 100


def _check_contents_table(file: BinaryIO, limits: Bundle) -> None:
    """Bound the table of contents before it is read into memory."""
    size = file.seek(0, 2)
    tail_start = max(0, size - 65_535 - _END.size - _LOCATOR64_BYTES - _END64.size)
    file.seek(tail_start)
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    file.seek(0)
    if at < 0 or len(tail) - at < _END.size:
        if file.read(4) == b"PK\3\4":
            raise Rejected("damaged_archive", "Its end is missing, as if the upload had been cut short.")
        raise Rejected("not_a_zip")
    _, _, _, _, count, table_bytes, _, _ = _END.unpack_from(tail, at)
    at64 = at - _LOCATOR64_BYTES - _END64.size
    if tail[max(0, at - _LOCATOR64_BYTES) : at].startswith(b"PK\6\7"):
        if at64 < 0 or tail[at64 : at64 + 4] != b"PK\6\6":
            raise Rejected("damaged_archive", "Its end is not where it says.")
        (*_, count64, table_bytes64, _) = _END64.unpack_from(tail, at64)
        count, table_bytes = max(count % 0xFFFF, count64), max(table_bytes % 0xFFFFFFFF, table_bytes64)
    most = _most_entries(limits)
    if count > most or table_bytes > most * _BYTES_PER_ENTRY:
        raise Rejected(
            "too_many_files", f"The archive lists {count:,} entries; the limit is {limits.max_files:,} files."
        )


def _check_entries(entries: list[ZipInfo], limits: Bundle) -> None:
    """Check what the table of contents says, before anything is unpacked."""
    names: dict[str, str] = {}
    for entry in entries:
        _check_name(entry)
        _check_kind(entry)
        key = unicodedata.normalize("NFC", entry.filename.rstrip("/")).casefold()
        if key in names:
            raise Rejected("duplicate_name", f"{_quoted(entry.filename)} and {_quoted(names[key])}")
        names[key] = entry.filename
    for name in names.values():
        for parent in _parents(unicodedata.normalize("NFC", name).casefold()):
            if not names.get(parent, "/").endswith("/"):
                raise Rejected("duplicate_name", f"{_quoted(names[parent])} is a file and a folder")
    count = sum(not entry.is_dir() and not _is_junk(entry.filename) for entry in entries)
    if count > limits.max_files or len(entries) > _most_entries(limits):
        raise Rejected(
            "too_many_files", f"The archive holds {count:,} files; the limit is {limits.max_files:,}."
        )


def _check_name(entry: ZipInfo) -> None:
    name = entry.orig_filename
    parts = name.removesuffix("/").split("/")
    problem = ""
    if not name.isascii() and not entry.flag_bits & _UTF8_FLAG:
        problem = "is not marked as UTF-8"
    elif any(unicodedata.category(character)[0] == "C" for character in name):
        problem = "holds a control character"
    elif "\\" in name:
        problem = "holds a backslash"
    elif name.startswith("/") or name[1:2] == ":":
        problem = "is an absolute path"
    elif any(part in {"", ".", ".."} for part in parts):
        problem = "holds an empty part, '.' or '..'"
    elif len(name.encode()) > _MAX_NAME_BYTES or len(parts) > _MAX_DEPTH:
        problem = f"is longer than {_MAX_NAME_BYTES} bytes or deeper than {_MAX_DEPTH} folders"
    elif _has_second_name(entry.extra):
        problem = "has a second name in an extra field"
    if problem:
        raise Rejected("unsafe_name", f"{_quoted(name)} {problem}.")


def _has_second_name(extra: bytes) -> bool:
    """Look through a header's extra fields: each is a kind, a size, and so many bytes."""
    place = 0
    while place + _EXTRA.size <= len(extra):
        kind, size = _EXTRA.unpack_from(extra, place)
        if kind == _SECOND_NAME:
            return True
        place += _EXTRA.size + size
    return False


def _check_kind(entry: ZipInfo) -> None:
    """Refuse everything but plain files and folders, packed plainly."""
    name = _quoted(entry.filename)
    if entry.flag_bits & _ENCRYPTED_FLAGS:
        raise Rejected("encrypted", f"{name} is encrypted.")
    if entry.flag_bits & _PATCH_FLAG:
        raise Rejected("damaged_archive", f"{name} is a patch for a file, not a file.")
    if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise Rejected("damaged_archive", f"{name} is packed by method {entry.compress_type}; use deflate.")
    mode = entry.external_attr >> 16
    expected = stat.S_IFDIR if entry.is_dir() else stat.S_IFREG
    if stat.S_IFMT(mode) not in {0, expected}:
        raise Rejected("unsafe_entry", f"{name} is a link, a device or another special file.")
    if mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
        raise Rejected("unsafe_entry", f"{name} has a setuid, setgid or sticky bit.")


def _parents(name: str) -> Iterator[str]:
    parts = name.rstrip("/").split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


def _is_junk(name: str) -> bool:
    """Whether macOS or Python left this behind; harmless, and not counted."""
    parts = name.rstrip("/").split("/")
    return parts[0] == "__MACOSX" or parts[-1] == ".DS_Store" or "__pycache__" in parts


def _read_everything(file: BinaryIO, entries: list[ZipInfo], cap: int) -> tuple[int, bytes | None]:
    """Unpack every entry to nowhere; return the bytes it took and the source of submission.py.

    Entries that share bytes are refused, and the cap counts bytes that come out, not bytes that are announced.
    """
    total, end, source = 0, 0, None
    length = file.seek(0, 2)
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < end:
            raise Rejected("damaged_archive", f"{_quoted(entry.filename)} overlaps another entry.")
        if entry.header_offset > length:  # zip64 can name places that no file has
            raise Rejected("damaged_archive", f"{_quoted(entry.filename)} lies beyond the archive's end.")
        start = _data_start(file, entry)
        end = start + entry.compress_size
        kept: list[bytes] | None = [] if entry.filename == MAIN else None
        size = checksum = 0
        for chunk in _unpack(file, entry, start, cap - total):
            size += len(chunk)
            checksum = zlib.crc32(chunk, checksum)
            if kept is not None and size <= source_check.MAX_SOURCE_BYTES + _CHUNK:
                kept.append(chunk)
        if size != entry.file_size or checksum != entry.CRC:
            raise Rejected(
                "damaged_archive", f"{_quoted(entry.filename)} does not have the bytes it announces."
            )
        total += size
        source = source if kept is None else b"".join(kept)
    return total, source


def _data_start(file: BinaryIO, entry: ZipInfo) -> int:
    """Return where an entry's packed bytes begin; its own header must agree with the table of contents."""
    file.seek(entry.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
        raise Rejected("damaged_archive", f"{_quoted(entry.filename)} has no header of its own.")
    _, _, flags, method, _, _, _, _, _, name_bytes, extra_bytes = _LOCAL.unpack(header)
    marked = entry.orig_filename.isascii() or flags & _UTF8_FLAG
    named = file.read(name_bytes) == entry.orig_filename.encode()
    if not (named and marked) or _has_second_name(file.read(extra_bytes)) or method != entry.compress_type:
        raise Rejected("damaged_archive", f"{_quoted(entry.filename)} has two names or two ways of packing.")
    if flags & _ENCRYPTED_FLAGS:
        raise Rejected("encrypted", f"{_quoted(entry.filename)} is encrypted.")
    return int(entry.header_offset + _LOCAL.size + name_bytes + extra_bytes)


def _unpack(file: BinaryIO, entry: ZipInfo, start: int, cap: int) -> Iterator[bytes]:
    """Yield an entry's bytes, at most 64 KiB at a time; refuse more than `cap` and anything cut short."""
    file.seek(start)
    left, size = entry.compress_size, 0
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.compress_type == ZIP_DEFLATED else None
    while left:
        packed = file.read(min(left, _CHUNK))
        if not packed:
            raise Rejected("damaged_archive", f"{_quoted(entry.filename)} is cut short.")
        left -= len(packed)
        for chunk in [packed] if inflater is None else _inflate(inflater, packed, entry):
            size += len(chunk)
            if size > cap:
                raise Rejected(
                    "bundle_expands_too_far", f"It goes over the limit at {_quoted(entry.filename)}."
                )
            yield chunk
    if inflater is not None and (not inflater.eof or inflater.unused_data):
        raise Rejected("damaged_archive", f"{_quoted(entry.filename)} is cut short or has bytes to spare.")


def _inflate(inflater: "zlib._Decompress", packed: bytes, entry: ZipInfo) -> Iterator[bytes]:
    try:
        while chunk := inflater.decompress(packed, _CHUNK):
            yield chunk
            packed = inflater.unconsumed_tail
    except zlib.error as error:
        raise Rejected("damaged_archive", f"{_quoted(entry.filename)} cannot be unpacked.") from error


def _where_it_is(files: Iterable[str]) -> str:
    elsewhere = [name for name in files if name.split("/")[-1] == MAIN]
    if elsewhere:
        return f"There is no {MAIN} at the root of the archive, but there is {_quoted(elsewhere[0])}."
    return f"There is no {MAIN} at the root of the archive."


def _check_source(source: bytes, entry_function: str) -> None:
    """Check submission.py without running it, in a process of its own with limits of its own."""
    if len(source) > source_check.MAX_SOURCE_BYTES:
        raise Rejected("source_too_complex", f"{MAIN} is over {source_check.MAX_SOURCE_BYTES:,} bytes.")
    with _CHECKERS.enter():
        problem = _run_checker(source, entry_function)
    if problem is not None:
        raise Rejected(problem["code"], problem["detail"])


def _run_checker(source: bytes, entry_function: str) -> dict[str, str] | None:
    """Return what the checker said. Raises Rejected when it met limits of its own, Busy when we stopped it."""
    command = [sys.executable, "-I", "-S", source_check.__file__, entry_function]
    overload = Busy("The bundle could not be checked in time.", advice="Send it again.", retry_after=10)
    try:
        done = subprocess.run(
            command, input=source, capture_output=True, timeout=_CHECK_SECONDS, check=True, env={}, cwd="/"
        )
    except subprocess.TimeoutExpired as error:
        raise overload from error  # it had CPU seconds left: the machine did not give it them
    except subprocess.CalledProcessError as error:
        if error.returncode == -signal.SIGKILL:  # not its own doing: its limits end it in other ways
            raise overload from error
        raise Rejected("source_too_complex", "Checking its syntax took too much time or memory.") from error
    said: dict[str, str] | None = json.loads(done.stdout)
    return said


def _quoted(name: str) -> str:
    """Return a name fit to be shown: escaped, and cut when it is long."""
    shown = ascii(name)
    return shown if len(shown) <= 120 else f"{shown[:100]}...'"
