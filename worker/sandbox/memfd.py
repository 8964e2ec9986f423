"""Memory files that carry a bundle into a sandbox and weights out of it: no path, link, quota or race to attack."""

import contextlib
import fcntl
import os
import struct

LENGTH_BYTES = 8
_MOST_PER_CALL = 1 << 30


def sealed_input(data: bytes) -> int:
    """Return a descriptor of a memory file that holds `data` and that nobody can change any more."""
    descriptor = os.memfd_create("input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


def output_slot(payload_bytes: int) -> int:
    """Return a descriptor of a memory file of fixed size: the payload's length (0: nothing left), then room for it."""
    descriptor = os.memfd_create("output", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, LENGTH_BYTES + payload_bytes)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return descriptor


def read_output(descriptor: int, payload_bytes: int) -> bytes | None:
    """Freeze the slot of a dead sandbox and return its payload; None when the length it names cannot be true."""
    # the dead may have sealed the seals, or left pages in use somewhere in the kernel; nobody is left to write
    with contextlib.suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    (length,) = struct.unpack("<Q", os.pread(descriptor, LENGTH_BYTES, 0))
    if length > payload_bytes:
        return None
    chunks: list[bytes] = []
    place, end = LENGTH_BYTES, LENGTH_BYTES + length
    while place < end:
        chunks.append(os.pread(descriptor, min(_MOST_PER_CALL, end - place), place))
        place += len(chunks[-1])
    return b"".join(chunks)
