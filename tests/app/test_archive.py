"""Every way an upload can be refused, each with its stable code."""

import io
import resource
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from app import archive
from app.competitions import Bundle
from app.errors import BundleTooLarge, Busy, Rejected
from app.limits import Gate
from tests.bundles import GOOD, pack, patched, second_name, with_mode

LIMITS = Bundle(max_bytes=2_000_000, max_unpacked_bytes=300_000, max_files=5)


@pytest.fixture
def inspect(tmp_path):
    def run(data, limits=LIMITS, entry_function="unlearning"):
        path = tmp_path / "upload"
        path.write_bytes(data)
        return archive.inspect(path, limits, entry_function)

    return run


@pytest.fixture
def refused(inspect):
    def run(data, code, *words, **kwargs):
        with pytest.raises(Rejected) as caught:
            inspect(data, **kwargs)
        assert caught.value.code == code, caught.value.detail
        for word in words:
            assert word in caught.value.detail

    return run


def test_a_good_bundle_is_described(inspect):
    data = pack(("pkg/", ""), ("pkg/helper.py", "x = 1\n"), ("weights.bin", bytes(1000)))
    manifest = inspect(data)
    assert manifest.files == ("submission.py", "pkg/helper.py", "weights.bin")
    assert manifest.unpacked_bytes == len(GOOD) + 6 + 1000


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_both_usual_ways_of_packing_are_read(inspect, method):
    assert inspect(pack(source=GOOD, method=method)).files == ("submission.py",)


def test_what_macos_and_python_leave_behind_is_tolerated_and_not_counted(inspect):
    junk = [(f"__MACOSX/._{i}", "x") for i in range(6)] + [
        (".DS_Store", "x"),
        ("pkg/.DS_Store", "x"),
        ("__pycache__/submission.cpython-311.pyc", "x"),
    ]
    assert inspect(pack(*junk)).files == ("submission.py",)


def test_a_streamed_zip_with_data_descriptors_is_read(inspect):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def tell(self):
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("submission.py", GOOD)
    assert inspect(pipe.getvalue()).files == ("submission.py",)


def test_a_bundle_packed_with_zip64_records_is_read(inspect):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle, bundle.open("submission.py", "w", force_zip64=True) as file:
        file.write(GOOD.encode())
    assert inspect(buffer.getvalue()).files == ("submission.py",)


def test_non_ascii_names_marked_as_utf8_are_fine(inspect):
    assert "données.txt" in inspect(pack(("données.txt", "x"))).files


@pytest.mark.parametrize("data", [b"", b"hello", b"\x1f\x8b" + bytes(100), GOOD.encode()])
def test_what_is_no_zip_is_not_a_zip(refused, data):
    refused(data, "not_a_zip")


def test_an_upload_over_the_cap_is_refused_before_it_is_opened(inspect):
    with pytest.raises(BundleTooLarge) as caught:
        inspect(b"x" * 101, limits=Bundle(max_bytes=100))
    assert (caught.value.code, caught.value.status) == ("bundle_too_large", 413)


def test_a_bundle_that_unpacks_too_far_is_refused(refused):
    refused(pack(("zeros", bytes(400_000))), "bundle_expands_too_far", "'zeros'")


def test_many_small_files_that_unpack_too_far_together_are_refused(refused):
    refused(pack(*((f"{i}", bytes(90_000)) for i in range(4))), "bundle_expands_too_far")


def test_a_bomb_that_lies_about_its_size_is_stopped_by_what_comes_out(refused):
    bomb = pack(("helper.py", bytes(50_000_000)))
    refused(patched(bomb, 22, 24, "<L", 10), "bundle_expands_too_far")


def test_a_lie_about_a_size_within_the_limits_is_refused_too(refused):
    refused(patched(pack(("helper.py", "x = 1\n")), 22, 24, "<L", 3), "damaged_archive", "announces")


def test_a_bomb_costs_no_memory(inspect):
    bomb = pack(("zeros", bytes(200_000_000)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    limits = Bundle(max_bytes=2_000_000, max_unpacked_bytes=300_000_000)
    assert inspect(bomb, limits=limits).unpacked_bytes > 200_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB


def test_too_many_files_are_refused(refused):
    refused(pack(*((f"{i}.py", "") for i in range(5))), "too_many_files", "6 files", "limit is 5")


def test_sixty_thousand_entries_are_refused_before_the_table_of_contents_is_read(refused, monkeypatch):
    data = pack(*((f"{i:05}/", "") for i in range(20_000)))
    monkeypatch.setattr(archive, "ZipFile", None)
    refused(data, "too_many_files")


def test_a_table_of_contents_that_is_larger_than_it_can_be_is_not_read(refused, monkeypatch):
    data = bytearray(pack())
    struct.pack_into("<L", data, len(data) - 10, 500_000_000)
    monkeypatch.setattr(archive, "ZipFile", None)
    refused(bytes(data), "too_many_files")


def test_a_zip64_end_that_is_elsewhere_is_refused(refused):
    data = pack()
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    refused(data[:-22] + locator + data[-22:], "damaged_archive")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py",
        "a/../../evil.py",
        "/etc/passwd",
        "a\\b.py",
        "C:evil.py",
        "c:/evil.py",
        "a//b.py",
        "./a.py",
        "bell\x07.py",
        "line\nbreak.py",
        "flip\u202egnp.py",
        "x" * 300,
        "n" * 5000,
        "/".join("d" * 30),
        "a/" * 2000 + "deep.py",
    ],
)
def test_a_name_that_is_not_safe_everywhere_is_refused(refused, name):
    refused(pack((name, "x")), "unsafe_name")


def test_a_name_with_a_null_byte_is_refused(refused):
    data = pack(("helperX.py", "x")).replace(b"helperX.py", b"helper\0.py")
    refused(data, "unsafe_name", "control character")


def test_a_name_that_is_not_utf8_is_refused(refused):
    marked = pack(("donn\u00e9es", "x")).replace("donn\u00e9es".encode(), b"donn\xff\xfees")
    refused(marked, "unsafe_name", "UTF-8")
    unmarked = pack(("donneees", "x")).replace(b"donneees", b"donn\xc3\xa9es")
    refused(unmarked, "unsafe_name", "not marked as UTF-8")


def test_a_second_name_in_an_extra_field_is_refused(refused):
    refused(pack((second_name("helper.py", "../evil.py"), "x")), "unsafe_name", "second name")
    stamped = second_name("helper.py", "evil.py")
    stamped.extra = struct.pack("<HHBL", 0x5455, 5, 1, 0) + stamped.extra  # behind a time stamp
    refused(pack((stamped, "x")), "unsafe_name", "second name")


def test_a_second_name_in_an_entrys_own_header_is_refused(refused):
    data = pack((second_name("helper.py", "evil.py"), "x"))
    table = data.index(b"PK\1\2")
    refused(data[:table] + data[table:].replace(b"up", b"xx"), "damaged_archive", "two names")


def test_a_name_marked_as_utf8_in_one_header_only_is_refused(refused):
    data = bytearray(pack(("donn\u00e9es", "x")))
    data[data.index(b"PK\3\4", 10) + 7] &= ~0x08
    refused(bytes(data), "damaged_archive", "two names")


def test_a_patch_for_a_file_is_refused(refused):
    refused(patched(pack(("helper.py", "x")), 6, 8, "<H", 0x20), "damaged_archive", "patch")


@pytest.mark.parametrize(
    "mode",
    [
        stat.S_IFLNK | 0o777,
        stat.S_IFBLK | 0o644,
        stat.S_IFCHR | 0o644,
        stat.S_IFIFO | 0o644,
        stat.S_IFSOCK | 0o644,
        stat.S_IFDIR | 0o755,
        stat.S_IFREG | stat.S_ISUID | 0o755,
        stat.S_IFREG | stat.S_ISGID | 0o755,
    ],
)
def test_links_devices_and_setuid_modes_are_refused(refused, mode):
    refused(pack(with_mode("odd", mode, "/etc/passwd")), "unsafe_entry", "'odd'")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["submission.py", "Submission.PY"])
def test_names_that_meet_are_refused(refused, name):
    refused(pack((name, "x")), "duplicate_name")


def test_names_that_meet_once_accents_are_normalised_are_refused(refused):
    refused(pack(("\u00e9.py", ""), ("e\u0301.py", "")), "duplicate_name")


def test_a_file_that_is_also_a_folder_is_refused(refused):
    refused(pack(("pkg", "x"), ("pkg/a.py", "x")), "duplicate_name", "a file and a folder")


def test_entries_that_share_their_bytes_are_refused(refused):
    data = bytearray(pack(("helper.py", "x = 1\n"), ("second.py", "x = 1\n")))
    first = data.index(b"PK\3\4", 10)
    central = data.rindex(b"PK\1\2")
    struct.pack_into("<L", data, central + 42, first)
    refused(bytes(data), "damaged_archive", "overlaps")


def test_an_encrypted_entry_is_refused(refused):
    refused(patched(pack(("helper.py", "x = 1\n")), 6, 8, "<H", 1), "encrypted", "helper.py")


def test_an_entry_encrypted_only_in_its_own_header_is_refused(refused):
    refused(patched(pack(("helper.py", "x = 1\n")), 6, None, "<H", 1), "encrypted")


def test_an_unusual_way_of_packing_is_refused(refused):
    refused(pack(("helper.py", "x"), method=zipfile.ZIP_BZIP2), "damaged_archive", "use deflate")


@pytest.mark.parametrize("keep", [40, 90, -30, -1])
def test_a_truncated_archive_is_damaged(refused, keep):
    refused(pack(("helper.py", "x = 1\n" * 50))[:keep], "damaged_archive")


def test_a_wrong_checksum_is_damaged(refused):
    refused(patched(pack(("helper.py", "x = 1\n")), 14, 16, "<L", 12345), "damaged_archive", "helper.py")


def test_packed_bytes_that_cannot_be_unpacked_are_damaged(refused):
    data = pack(("helper.py", "x = 1\n" * 50))
    start = data.index(b"helper.py") + len("helper.py")
    refused(data[:start] + b"\xff" * 8 + data[start + 8 :], "damaged_archive", "cannot be unpacked")


def test_bytes_hidden_after_an_entrys_end_are_refused(refused):
    data = pack(("helper.py", "x = 1\n"))
    table = data.index(b"PK\1\2")
    packed = struct.unpack_from("<L", data, data.index(b"PK\3\4", 10) + 18)[0]
    hidden = bytearray(data[:table] + b"extra" + data[table:])
    struct.pack_into("<L", hidden, len(hidden) - 6, table + 5)
    refused(patched(bytes(hidden), 18, 20, "<L", packed + 5), "damaged_archive", "bytes to spare")


def test_an_entry_with_two_names_is_damaged(refused):
    data = bytearray(pack(("helper.py", "x = 1\n")))
    data[data.index(b"helper.py")] = ord("H")
    refused(bytes(data), "damaged_archive", "two names")


def test_a_table_of_contents_that_points_nowhere_is_damaged(refused):
    refused(patched(pack(("helper.py", "x = 1\n")), None, 42, "<L", 7), "damaged_archive")


@pytest.mark.parametrize("place", [1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_an_entry_that_lies_where_no_file_reaches_is_damaged(refused, place):
    info = zipfile.ZipInfo("helper.py")
    info.extra = struct.pack("<HHQ", 1, 8, place)
    data = patched(pack((info, "x")), None, 42, "<L", 0xFFFFFFFF)
    at = data.rindex(b"PK\1\2") + 42
    refused(data[:at] + b"\xff" * 4 + data[at + 4 :], "damaged_archive")


def test_a_nested_archive_is_a_file_like_any_other(inspect):
    assert "inner.zip" in inspect(pack(("inner.zip", pack()))).files


def test_a_bundle_without_submission_py_is_refused(refused):
    refused(pack(("other.py", GOOD), source=None), "missing_submission_py", "at the root")
    refused(pack(source=None), "missing_submission_py")


def test_a_submission_py_in_a_folder_is_pointed_out(refused):
    refused(pack(("mine/submission.py", GOOD), source=None), "missing_submission_py", "'mine/submission.py'")


@pytest.fixture
def checker(tmp_path, monkeypatch):
    """Put a shell script in the checker's place."""

    def replace(script):
        path = tmp_path / "checker"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(archive.sys, "executable", str(path))

    return replace


def test_a_checker_that_we_do_not_give_its_time_is_our_own_overload(inspect, checker, monkeypatch):
    monkeypatch.setattr(archive, "_CHECK_SECONDS", 0.05)
    checker("exec sleep 30")
    with pytest.raises(Busy) as caught:
        inspect(pack())
    assert caught.value.retry_after


def test_a_checker_that_is_killed_from_outside_is_our_own_overload(inspect, checker):
    checker("kill -KILL $$")
    with pytest.raises(Busy):
        inspect(pack())


@pytest.mark.parametrize("script", ["kill -XCPU $$", "kill -SEGV $$", "exit 1"])
def test_a_checker_that_ends_at_its_own_limits_met_too_complex_a_source(refused, checker, script):
    checker(script)
    refused(pack(), "source_too_complex")


def test_when_all_checkers_are_taken_the_next_hears_that_it_is_busy(inspect, monkeypatch):
    gate = Gate(places=1, waiting=0, patience=1.0, words="Too many.")
    monkeypatch.setattr(archive, "_CHECKERS", gate)
    with gate.enter(), pytest.raises(Busy):
        inspect(pack())
    assert inspect(pack()).files


def test_the_source_checker_needs_nothing_but_the_standard_library():
    text = Path(archive.source_check.__file__).read_text()
    assert "from app" not in text
    assert "import app" not in text


@pytest.mark.parametrize("seed", range(60))
def test_damage_anywhere_never_raises_anything_but_a_rejection(inspect, seed):
    data = bytearray(pack(("pkg/helper.py", "x = 1\n" * 20), ("b.bin", bytes(range(256)))))
    for step in range(4):
        data[(seed * 7919 + step * 104_729) % len(data)] ^= 1 << (seed + step) % 8
    try:
        inspect(bytes(data))
    except Rejected as error:
        assert error.advice  # noqa: PT017 - some damage hits a byte that does not matter
