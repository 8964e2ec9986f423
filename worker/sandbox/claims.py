"""Claims on user ids and cores that hold for the whole machine, not only within one worker.

A claim is a lock on a file; it ends with its holder, however that ends.
"""

import contextlib
import fcntl
import itertools
import os
import signal
import stat
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from worker.sandbox.base import SandboxUnavailable

_DEATH_SECONDS = 10.0


@dataclass(frozen=True)
class Claim:
    """Something that only its holder may use until it is released."""

    number: int
    descriptor: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let others have it."""
        fcntl.flock(
            self.descriptor, fcntl.LOCK_UN
        )  # a child about to start may hold the file open a little longer
        os.close(self.descriptor)


def folder() -> Path:
    """Return this user's folder of locks, made if need be. Raises SandboxUnavailable if somebody else may touch it."""
    name, parent = "lethe-sandbox", Path("/run")
    if os.geteuid() != 0 or not parent.is_dir():
        name, parent = f"lethe-sandbox-{os.geteuid()}", Path(tempfile.gettempdir())
    path = parent / name
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() == 0:
        path.chmod(0o700)  # a daemon that mounts it into a worker's container makes it for all to read
        found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise SandboxUnavailable(f"{path} must be a folder that only the worker's user can touch")
    return path


def claim(kind: str, number: int) -> Claim | None:
    """Claim, say, the core with this number; None while somebody else on this machine holds it."""
    descriptor = os.open(
        folder() / f"{kind}-{number}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return Claim(number, descriptor)


def claim_uid(first: int) -> Claim:
    """Claim the first free user id from `first` on, with nothing left running under it. For root only."""
    claimed = next(got for uid in itertools.count(first) if (got := claim("uid", uid)) is not None)
    try:
        _kill_all_of(claimed.number)
    except BaseException:
        claimed.release()
        raise
    return claimed


def claim_cores(count: int) -> list[Claim]:
    """Claim so many cores; none at all while others hold too many. Raises SandboxUnavailable if there never are."""
    cores = sorted(os.sched_getaffinity(0))
    if count > len(cores):
        raise SandboxUnavailable(f"a run wants {count} cores for itself, and this worker has {len(cores)}")
    claimed: list[Claim] = []
    for core in cores:
        got = claim("core", core)
        if got is not None:
            claimed.append(got)
        if len(claimed) == count:
            return claimed
    for one in claimed:
        one.release()
    return []


def kill_leftovers(then: Callable[[int], None]) -> None:
    """Kill what earlier workers left running under user ids that nobody claims now. For root only.

    `then` is called with each of those ids while it is claimed.
    """
    for path in folder().glob("uid-*"):
        claimed = claim("uid", int(path.name.removeprefix("uid-")))
        if claimed is not None:
            with claimed:
                _kill_all_of(claimed.number)
                then(claimed.number)


def _kill_all_of(uid: int) -> None:
    deadline = time.monotonic() + _DEATH_SECONDS
    while processes := _processes_of(uid):
        for pid in processes:
            _kill(pid, uid)
        if time.monotonic() > deadline:
            raise SandboxUnavailable(f"processes of user id {uid} cannot be killed")
        time.sleep(0.01)


def _processes_of(uid: int) -> list[int]:
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _runs_as(pid, uid)]  # noqa: PTH208


def _runs_as(pid: int, uid: int) -> bool:
    """Tell whether a living process has this user id."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_bytes().split(b"\n")
        values = {key: value.split() for key, _, value in (line.partition(b":") for line in lines)}
        return values[b"Uid"][0] == str(uid).encode() and values[b"State"][0] not in {b"Z", b"X"}
    return False


def _kill(pid: int, uid: int) -> None:
    with contextlib.suppress(OSError):
        pidfd = os.pidfd_open(pid)
        try:
            if _runs_as(pid, uid):  # asked again: the number may stand for another process by now
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        finally:
            os.close(pidfd)
