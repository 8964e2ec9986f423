"""What starting a sandbox takes on every back end: limits on files, and the wait for READY."""

import contextlib
import selectors
import socket
import time
from pathlib import Path

from worker.sandbox.base import Limits, SandboxFault
from worker.sandbox.memfd import LENGTH_BYTES
from worker.sandbox.runner import FAULT, READY


def file_rlimits(limits: Limits) -> dict[str, int]:
    """Return the limits on files that every back end sets for each process."""
    return {
        "RLIMIT_FSIZE": max(limits.tmp_bytes, LENGTH_BYTES + limits.output_bytes),
        "RLIMIT_NOFILE": 256,
        "RLIMIT_CORE": 0,
    }


def die_first(pid: int) -> None:
    """If the machine runs out of memory, let the kernel end a sandbox and not the worker."""
    with contextlib.suppress(PermissionError):  # an ordinary user may not always say so
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")


def wait_for_ready(control: socket.socket, deadline: float) -> None:
    """Block until the runner says READY. Raises SandboxFault with what it says instead."""
    wait_readable(control.fileno(), deadline)
    said = control.recv(8192)
    if said != READY:
        cause = said.removeprefix(FAULT).decode(errors="replace")
        raise SandboxFault(cause or "it ended before it was ready")


def wait_readable(descriptor: int, deadline: float, *others: int) -> None:
    """Block until there is something to read somewhere. Raises SandboxFault at the deadline, by the monotonic clock."""
    with selectors.DefaultSelector() as selector:
        for one in (descriptor, *others):
            selector.register(one, selectors.EVENT_READ)
        if not selector.select(max(0.0, deadline - time.monotonic())):
            raise SandboxFault("it took too long to become ready")
