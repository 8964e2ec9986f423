"""Mutated zips for the door, and Python's own unpacking of what it lets in."""

import io
import struct
import tempfile
import warnings
import zipfile
from functools import cache
from pathlib import Path

from app import archive
from app.competitions import Bundle
from app.errors import LetheError, Rejected
from tests.fuzz import bytes_edits

GOOD = b"def unlearning(net, retain, forget, validation):\n    pass\n"
LIMITS = Bundle(max_bytes=400_000, max_unpacked_bytes=60_000, max_files=8)
WHOLE = {"missing_submission_py", "syntax_error", "missing_entry_function", "source_too_complex"}
"""The last reasons: what is refused by them has passed as an archive."""

LOCAL = {
    "version": 4,
    "flags": 6,
    "method": 8,
    "time": 10,
    "crc": 14,
    "packed": 18,
    "size": 22,
    "name": 26,
    "extra": 28,
}
CENTRAL = {
    "made": 4, "version": 6, "flags": 8, "method": 10, "crc": 16, "packed": 20, "size": 24, "name": 28, "extra": 30, "comment": 32, "disk": 34, "inner": 36,
    "mode": 38, "offset": 42,
}  # fmt: skip
END = {"disk": 4, "start": 6, "here": 8, "count": 10, "bytes": 12, "offset": 16, "comment": 20}
FOUR_BYTES = {"crc", "packed", "size", "mode", "offset", "bytes"}
HEADERS = ((b"PK\3\4", LOCAL), (b"PK\1\2", CENTRAL), (b"PK\1\2", CENTRAL), (b"PK\5\6", END))
NAMES = (
    "../evil.py", "/etc/passwd", "a\\b", "C:x", "a/./b", "a//b", "A.TXT", "a.txt", "a.txt/", "submission.py", "SUBMISSION.py",
    "bell\7", "n\0.py", "x" * 300, "d/" * 40 + "x", ".", "..", "/", "", "e\u0301", "é", "\u202eyp.x", "__pycache__/x.pyc",
    "CON", "a.txt ", "-rf", "~", "a\nb", "\ud7ff",
)  # fmt: skip


class Archive:
    name = "archive"
    spare_bytes = 512 << 10  # chunks, the table of contents, a small source

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="lethe-fuzz-")
        self._path = Path(self._folder.name) / "upload"

    def mutant(self, rng):
        data = rng.choice(seeds())
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            data = rng.choice(STRUCTURAL)(data, rng)
        return rng.choice(bytes_edits.EDITS)(data, rng) if rng.random() < 0.4 else data

    def read(self, data):
        self._path.write_bytes(data)
        try:
            manifest = archive.inspect(self._path, LIMITS, "unlearning")
        except Rejected as refused:
            return refused.code, (lambda: unpacks(data)) if refused.code in WHOLE else lambda: None
        except LetheError as refused:  # too large: a status of its own
            return refused.code, lambda: None
        return "accepted", lambda: unpacks(data, manifest)


@cache
def seeds():
    """Return valid archives of every kind, most without a submission.py: to check a source costs a process."""
    plain = {"a.txt": b"text" * 50, "pkg/": b"", "pkg/b.bin": bytes(range(256)), "empty": b""}
    rich = {"données.txt": b"x", "__MACOSX/._a": b"y", "deep/er/and/deeper.py": b"pass\n" * 30}
    many = {f"{number}.py": b"x = 1\n" * number for number in range(8)}
    found = [
        packed(files, **how)
        for files in (plain, rich, many)
        for how in (
            {},
            {"method": zipfile.ZIP_STORED},
            {"streamed": True},
            {"comment": b"PK\5\6 said so"},
            {"zip64": True},
        )
    ]
    return [
        *found,
        packed({"submission.py": GOOD, **plain}),
        packed({"bomb": bytes(200_000)}),
        packed({"a": bytes(59_000)}),
    ]


def packed(files, *, method=zipfile.ZIP_DEFLATED, streamed=False, comment=b"", zip64=False):
    buffer = io.BytesIO()
    with zipfile.ZipFile(Pipe(buffer) if streamed else buffer, "w", method) as bundle:
        for name, data in files.items():
            if name.endswith("/"):
                bundle.writestr(name, data)
            else:
                with bundle.open(name, "w", force_zip64=zip64) as file:
                    file.write(data)
        bundle.comment = comment
    return zip64_end(buffer.getvalue()) if zip64 else buffer.getvalue()


class Pipe:
    """Something that cannot seek, so that sizes are written after the bytes."""

    def __init__(self, file):
        self.write, self.flush = file.write, file.flush


def zip64_end(data):
    """Add the zip64 forms of an archive's end."""
    at = data.rindex(b"PK\5\6")
    count, size, offset = struct.unpack_from("<HLL", data, at + 10)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    return data[:at] + record + struct.pack("<4sLQL", b"PK\6\7", 0, at, 1) + data[at:]


def places(data, signature):
    found, at = [], data.find(signature)
    while at >= 0:
        found.append(at)
        at = data.find(signature, at + 1)
    return found


def field(data, rng):
    """Overwrite a field of one header."""
    signature, fields = rng.choice(HEADERS)
    starts, name = places(data, signature), rng.choice(list(fields))
    return put(data, rng.choice(starts) + fields[name], name, rng) if starts else data


def put(data, at, name, rng):
    width = 4 if name in FOUR_BYTES else 2
    (now,) = struct.unpack_from("<L" if width == 4 else "<H", data.ljust(at + 4, b"\0"), at)
    beside = (now + rng.choice((-1, 1, -30, 22)), now ^ (1 << rng.randrange(8 * width)), now * 2)
    value = rng.choice((*bytes_edits.INTERESTING, *beside)) % (1 << 8 * width)
    return data[:at] + value.to_bytes(width, "little") + data[at + width :]


def both_fields(data, rng):
    """Overwrite the same field in both headers of the first entry, as a consistent liar would."""
    name = rng.choice(("flags", "method", "crc", "packed", "size"))
    state = rng.getstate()
    for signature, fields in HEADERS[:2]:
        rng.setstate(state)  # the same choice twice
        starts = places(data, signature)
        data = put(data, starts[0] + fields[name], name, rng) if starts else data
    return data


def mode(data, rng):
    starts = places(data, b"PK\1\2")
    kind = (
        rng.choice((0o120777, 0o060644, 0o020644, 0o010644, 0o140644, 0o104755, 0o102755, 0o040755, 0o100644))
        << 16
    )
    at = rng.choice(starts) + CENTRAL["mode"] if starts else 0
    return data[:at] + struct.pack("<L", kind) + data[at + 4 :] if starts else data


def overlap(data, rng):
    """Let two entries of the table of contents point at the same place."""
    starts = places(data, b"PK\1\2")
    if len(starts) < 2:
        return data
    one, other = (at + CENTRAL["offset"] for at in rng.sample(starts, 2))
    return data[:one] + data[other : other + 4] + data[one + 4 :]


def rename(data, rng):
    """Give an entry another name in both its headers, of the same length, so that nothing else moves."""
    starts = places(data, b"PK\1\2")
    if not starts:
        return data
    at = rng.choice(starts)
    (length,) = struct.unpack_from("<H", data.ljust(at + 46, b"\0"), at + 28)
    old, new = data[at + 46 : at + 46 + length], rng.choice(NAMES).encode()
    new = rng.choice(
        (new.ljust(length, b"x")[:length], new[-length:].rjust(length, b"x"), rng.randbytes(length))
    )
    return (
        data.replace(old, new)
        if old and rng.random() < 0.8
        else data[: at + 46] + new + data[at + 46 + length :]
    )


def rebuild(data, rng):
    """Write the entries anew under hostile names, extra fields and comments."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names given twice
        for _ in range(rng.randrange(1, 5)):
            entry = zipfile.ZipInfo("x")
            entry.filename = rng.choice(NAMES)
            entry.extra = rng.choice(EXTRAS)(rng)
            entry.comment = rng.choice((b"", b"PK\1\2" * 20, rng.randbytes(30)))
            bundle.writestr(entry, rng.choice((b"", b"data", bytes(9000))), rng.choice((0, 8, 8)))
    return buffer.getvalue()


def second_name(rng):
    name = rng.choice(NAMES).encode("utf-8", "replace")
    return (
        struct.pack(
            "<HHBL", 0x7075, len(name) + 5, rng.choice((1, 1, 2)), rng.choice((0, rng.getrandbits(32)))
        )
        + name
    )


EXTRAS = (
    lambda rng: b"",
    lambda rng: (
        struct.pack("<HH", rng.choice((1, 0x5455, 0x7875, 0x9901, 0xFFFF)), rng.choice((0, 8, 0xFFFF)))
        + bytes(8)
    ),
    lambda rng: struct.pack("<HHQQ", 1, 16, rng.choice(bytes_edits.INTERESTING), 4),
    lambda rng: rng.randbytes(rng.randrange(12)),
    second_name,
)


def extra_field(data, rng):
    """Put an extra field into the table of contents and mend what says where the table ends."""
    starts, end = places(data, b"PK\1\2"), data.rfind(b"PK\5\6")
    if not starts or end < 0:
        return data
    at, extra = rng.choice(starts), rng.choice(EXTRAS)(rng)
    changed = bytearray(data.ljust(max(end + 22, at + 46), b"\0"))
    name, old = struct.unpack_from("<HH", changed, at + 28)
    struct.pack_into("<H", changed, at + 30, (old + len(extra)) % 65536)
    (size,) = struct.unpack_from("<L", changed, end + 12)
    struct.pack_into("<L", changed, end + 12, (size + len(extra)) % (1 << 32))
    return bytes(changed[: at + 46 + name]) + extra + bytes(changed[at + 46 + name :])


def end_twice(data, rng):
    end = data.rfind(b"PK\5\6")
    return (
        data + rng.choice((data[end:], put(data[end:], rng.choice(list(END.values())), "count", rng)))
        if end >= 0
        else data
    )


def end_64(data, rng):
    """Add or spoil the zip64 end."""
    if places(data, b"PK\6\6"):
        at = data.index(b"PK\6\6") + rng.choice((4, 12, 24, 32, 40, 48, 56, 64, 72))
        return data[:at] + rng.choice(bytes_edits.INTERESTING).to_bytes(8, "little") + data[at + 8 :]
    return zip64_end(data) if len(data) - data.rfind(b"PK\5\6") >= 22 and b"PK\5\6" in data else data


def in_another(data, rng):
    """Hide a second archive before, after or within this one."""
    other, at = rng.choice(seeds()), rng.randrange(len(data) + 1)
    return rng.choice((other + data, data + other, data[:at] + other + data[at:]))


STRUCTURAL = (
    field, field, field, field, both_fields, both_fields, mode, overlap, rename, rename, rebuild, rebuild, extra_field,
    extra_field, end_twice, end_64, in_another,
)  # fmt: skip


def unpacks(data, manifest=None):
    """Unpack with Python's zipfile: plain files within the limits, under their own names, and nothing else."""
    with tempfile.TemporaryDirectory(prefix="lethe-fuzz-") as folder:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            assert bundle.testzip() is None
            names = {entry.filename for entry in bundle.infolist()}
            assert names == {entry.orig_filename for entry in bundle.infolist()}
            assert not any(
                entry.extra[place : place + 2] == b"up"
                for entry in bundle.infolist()
                for place in extras(entry)
            )
            to_folders = sum(
                entry.file_size for entry in bundle.infolist() if entry.is_dir()
            )  # unpacked to nowhere
            bundle.extractall(folder)
        found = list(Path(folder).rglob("*"))
        files = {str(path.relative_to(folder)): path for path in found if not path.is_dir()}
        assert all(path.is_file() and not path.is_symlink() for path in files.values())
        assert set(files) == {name for name in names if not name.endswith("/")}
        assert sum(path.stat().st_size for path in files.values()) <= LIMITS.max_unpacked_bytes
        if manifest is not None:
            assert set(manifest.files) == {name for name in files if not archive._is_junk(name)}
            assert manifest.unpacked_bytes == to_folders + sum(path.stat().st_size for path in files.values())


def extras(entry):
    """Yield where each extra field of an entry begins."""
    at = 0
    while at + 4 <= len(entry.extra):
        yield at
        at += 4 + struct.unpack_from("<H", entry.extra, at + 2)[0]
