"""Uploads that must not get past the door, or past it only as the plain files that they are."""

import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.bundles import GOOD, pack, patched, second_name, with_mode

ACCEPTED = "accepted"
HELPER = ("helper.py", "x = 1\n")


@dataclass(frozen=True)
class Upload:
    name: str
    make: Callable[[], bytes]
    expected: str  # reason code, or ACCEPTED


def named(name):
    return partial(pack, (name, "x"))


def moded(mode):
    return lambda: pack(with_mode("odd", mode, "/etc/passwd"))


def overlapping():
    data = bytearray(pack(HELPER, ("second.py", "x = 1\n")))
    struct.pack_into("<L", data, data.rindex(b"PK\1\2") + 42, data.index(b"PK\3\4", 10))
    return bytes(data)


def one_stream_many_times():
    """A bomb without a nested archive: a hundred entries of the table of contents share one packed stream."""
    data = pack(("zeros", bytes(100_000)))
    start, end = data.rindex(b"PK\1\2"), data.rindex(b"PK\5\6")
    entry = data[start:end]
    table = data[data.index(b"PK\1\2") : start] + b"".join(
        entry.replace(b"zeros", b"%05d" % n) for n in range(100)
    )
    tail = bytearray(data[end:])
    struct.pack_into("<HHL", tail, 8, 102, 102, len(table))
    return data[: data.index(b"PK\1\2")] + table + bytes(tail)


def twice():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pack(("submission.py", "x"))


def entries_within_limits_that_hide_more():
    """The end says two entries; the table of contents has sixty thousand."""
    data = bytearray(pack(*((f"{number:05}", "") for number in range(60_000))))
    struct.pack_into("<HH", data, len(data) - 14, 2, 2)
    return bytes(data)


def far_away():
    info = zipfile.ZipInfo("helper.py")
    info.extra = struct.pack("<HHQ", 1, 8, (1 << 64) - 1)
    data = pack((info, "x"))
    at = data.rindex(b"PK\1\2") + 42
    return data[:at] + b"\xff" * 4 + data[at + 4 :]


def two_archives():
    """Another archive in front: readers that begin at the front see that one."""
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as bundle:
        bundle.writestr("submission.py", "raise SystemExit")
    return other.getvalue() + pack(HELPER)


def unmarked_in_its_own_header():
    data = bytearray(pack(("donn\u00e9es", "x")))
    data[data.index(b"PK\3\4", 10) + 7] &= ~0x08
    return bytes(data)


def second_name_in_its_own_header():
    data = pack((second_name("helper.py", "evil.py"), "x"))
    table = data.index(b"PK\1\2")
    return data[:table] + data[table:].replace(b"up", b"xx")


UPLOADS = (
    Upload("a plain bundle", partial(pack, HELPER), ACCEPTED),
    Upload("two dots in a path", named("../evil.py"), "unsafe_name"),
    Upload("two dots within a path", named("a/../../evil.py"), "unsafe_name"),
    Upload("an absolute path", named("/etc/cron.d/evil"), "unsafe_name"),
    Upload("a backslash path", named("..\\evil.py"), "unsafe_name"),
    Upload("a drive path", named("C:evil.py"), "unsafe_name"),
    Upload("a symlink", moded(stat.S_IFLNK | 0o777), "unsafe_entry"),
    Upload("a hardlink, as far as zips have any", moded(0o110777), "unsafe_entry"),
    Upload("a disk", moded(stat.S_IFBLK | 0o666), "unsafe_entry"),
    Upload("a character device", moded(stat.S_IFCHR | 0o666), "unsafe_entry"),
    Upload("a pipe", moded(stat.S_IFIFO | 0o644), "unsafe_entry"),
    Upload("a setuid mode", moded(stat.S_IFREG | stat.S_ISUID | 0o755), "unsafe_entry"),
    Upload("a setgid mode", moded(stat.S_IFREG | stat.S_ISGID | 0o755), "unsafe_entry"),
    Upload("a ratio bomb", partial(pack, ("zeros", bytes(50_000_000))), "bundle_expands_too_far"),
    Upload("a bomb of one stream used many times", one_stream_many_times, "damaged_archive"),
    Upload("overlapping entries", overlapping, "damaged_archive"),
    Upload("a nested archive", lambda: pack(("inner.zip", pack(("zeros", bytes(100_000))))), ACCEPTED),
    Upload("a size that lies", lambda: patched(pack(HELPER), 22, 24, "<L", 3), "damaged_archive"),
    Upload(
        "a bomb with a size that lies",
        lambda: patched(pack(("helper.py", bytes(50_000_000))), 22, 24, "<L", 10),
        "bundle_expands_too_far",
    ),
    Upload("60,000 entries", lambda: pack(*((f"{n:05}", "") for n in range(60_000))), "too_many_files"),
    Upload("60,000 entries where the end says two", entries_within_limits_that_hide_more, "too_many_files"),
    Upload("names that differ in case only", partial(pack, ("Helper.py", ""), HELPER), "duplicate_name"),
    Upload(
        "names that differ in accents only", partial(pack, ("\u00e9", ""), ("e\u0301", "")), "duplicate_name"
    ),
    Upload("a name given twice", twice, "duplicate_name"),
    Upload("a file that is a folder too", partial(pack, ("pkg", ""), ("pkg/a.py", "")), "duplicate_name"),
    Upload(
        "a name that is not UTF-8",
        lambda: pack(("donn\u00e9es", "x")).replace("donn\u00e9es".encode(), b"donn\xff\xfees"),
        "unsafe_name",
    ),
    Upload("an encrypted entry", lambda: patched(pack(HELPER), 6, 8, "<H", 1), "encrypted"),
    Upload(
        "an entry encrypted in its own header only",
        lambda: patched(pack(HELPER), 6, None, "<H", 1),
        "encrypted",
    ),
    Upload("a truncated archive", lambda: pack(HELPER)[:-30], "damaged_archive"),
    Upload("a path 2000 deep", named("a/" * 2000 + "deep.py"), "unsafe_name"),
    Upload("a name of 5000 characters", named("n" * 5000), "unsafe_name"),
    Upload("a control character", named("bell\7.py"), "unsafe_name"),
    Upload("a null byte", lambda: pack(("helperX.py", "x")).replace(b"helperX", b"helper\0"), "unsafe_name"),
    Upload("a name written from right to left", named("flip\u202egnp.py"), "unsafe_name"),
    Upload(
        "a second name in an extra field",
        lambda: pack((second_name("helper.py", "../evil"), "x")),
        "unsafe_name",
    ),
    Upload("a second name in an entry's own header", second_name_in_its_own_header, "damaged_archive"),
    Upload("a name marked as UTF-8 in one header only", unmarked_in_its_own_header, "damaged_archive"),
    Upload("an entry beyond the end of any file", far_away, "damaged_archive"),
    Upload("a patch for a file", lambda: patched(pack(HELPER), 6, 8, "<H", 0x20), "damaged_archive"),
    Upload("an unusual way of packing", partial(pack, HELPER, method=zipfile.ZIP_LZMA), "damaged_archive"),
    Upload("another archive in front", two_archives, ACCEPTED),
    Upload("a source nested too deeply", partial(pack, source="(" * 100_000), "syntax_error"),
    Upload("a source of 3 MB", partial(pack, source=GOOD + "#" * 3_000_000), "source_too_complex"),
    Upload(
        "a source that takes long to parse",
        partial(pack, source=GOOD + "x = " + "-" * 90_000 + "1"),
        "source_too_complex",
    ),
    Upload(
        "code compiled elsewhere", partial(pack, ("__pycache__/submission.cpython-311.pyc", "x")), ACCEPTED
    ),
)
