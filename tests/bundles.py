"""Zips made in memory."""

import io
import struct
import zipfile
import zlib

GOOD = "def unlearning(net, retain_loader, forget_loader, val_loader):\n    return net\n"


def zipped(source: str) -> bytes:
    """Return a bundle whose submission.py holds `source`: the same bytes at any time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("submission.py"), source)
    return buffer.getvalue()


def pack(*entries, source=GOOD, method=zipfile.ZIP_DEFLATED):
    """Zip bytes of submission.py and (name or ZipInfo, data) entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as bundle:
        if source is not None:
            bundle.writestr("submission.py", source)
        for name, data in entries:
            bundle.writestr(name, data)
    return buffer.getvalue()


def with_mode(name, mode, data="x"):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info, data


def patched(data, at_local, at_central, form, value, name=b"helper.py"):
    """Overwrite one field of an entry in both of its headers (offsets from each signature; None leaves it)."""
    out = bytearray(data)
    for signature, at, name_at in ((b"PK\3\4", at_local, 30), (b"PK\1\2", at_central, 46)):
        start = next(
            i
            for i in range(len(out))
            if out[i : i + 4] == signature and out[i + name_at : i + name_at + len(name)] == name
        )
        if at is not None:
            struct.pack_into(form, out, start + at, value)
    return bytes(out)


def second_name(name, other):
    """Return an entry with the Unicode path field that makes some programs unpack it under another name."""
    info = zipfile.ZipInfo(name)
    info.extra = struct.pack("<HHBL", 0x7075, 5 + len(other), 1, zlib.crc32(name.encode())) + other.encode()
    return info
