"""The host as an attack must leave it: its facts, its processes, and ears for whatever comes out of a sandbox."""

import contextlib
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from worker.sandbox.watchdog import tree

SETTINGS = (
    "kernel/core_pattern", "kernel/modprobe", "kernel/hostname", "kernel/domainname", "kernel/randomize_va_space",
    "kernel/pid_max", "kernel/panic", "kernel/sysrq", "vm/overcommit_memory", "vm/drop_caches", "fs/file-max",
    "net/ipv4/ip_forward",
)  # fmt: skip
PLACES = (
    *(
        "/bin",
        "/boot",
        "/etc",
        "/home",
        "/lib",
        "/media",
        "/mnt",
        "/opt",
        "/proc",
        "/root",
        "/run/lethe-sandbox",
        "/sbin",
    ),
    *("/srv", "/sys", "/usr"),
)
"""Where a mount would change what this machine's programs see; daemons and builds have theirs elsewhere, at any time."""
PATIENCE = 60.0  # for what the kernel or a daemon tidies up a moment after a death


@dataclass(frozen=True)
class Facts:
    """What no attack may change."""

    settings: dict[str, bytes]
    hostname: str
    mounts: tuple[str, ...]  # at the places that matter, as this process sees them
    canary: tuple[bytes, int, int]  # content, mode, time of the last change
    offset: float  # seconds between the clock on the wall and the one that only counts

    @classmethod
    def of(cls, canary: Path) -> "Facts":
        settings = {name: _setting(name) for name in SETTINGS}
        found = canary.stat()
        return cls(
            settings,
            socket.gethostname(),
            tuple(sorted(where for where in _mount_points() if _matters(where, canary))),
            (canary.read_bytes(), found.st_mode, found.st_mtime_ns),
            time.time() - time.monotonic(),
        )

    def assert_same(self, later: "Facts") -> None:
        assert later.settings == self.settings
        assert (later.hostname, later.canary) == (self.hostname, self.canary)
        assert later.mounts == self.mounts
        assert abs(later.offset - self.offset) < 0.5  # whoever keeps the host's clock right may nudge it


def _setting(name):
    try:
        return (Path("/proc/sys") / name).read_bytes()
    except OSError:  # for writing only, or not in this kernel
        return b""


def _mount_points():
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def _matters(where, canary):
    path = Path(where)
    return any(path.is_relative_to(place) for place in PLACES) or canary.is_relative_to(path)


@dataclass(frozen=True)
class Inhabitants:
    """How to recognise a sandbox's processes, read while it waits."""

    namespace: str
    held: int  # a descriptor of the namespace: while it is open, no other one gets its number
    uid: int
    groups: tuple[tuple[Path, int], ...]  # control groups of its own, with their inodes: names are used again

    @classmethod
    def of(cls, pid: int) -> "Inhabitants":
        groups = tuple((group, group.stat().st_ino) for group in _groups(pid))
        held = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY)
        return cls(_namespace(pid), held, Path(f"/proc/{pid}").stat().st_uid, groups)

    def assert_gone(self) -> None:
        """Fail if any process lives on, or if a control group stays."""
        assert self._alive() == []
        os.close(self.held)
        deadline = time.monotonic() + PATIENCE
        while any(_inode(group) == inode for group, inode in self.groups):
            assert time.monotonic() < deadline, self.groups
            time.sleep(0.02)

    def _alive(self) -> list[int]:
        """Return what lives in its namespace; or outside of any, under its user id, and was not started by us."""
        inside, outside = set(), set()
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):  # noqa: PTH208 - names, not paths
            with contextlib.suppress(OSError):
                namespace = _namespace(pid)
                if _is_dead(pid):
                    continue
                if namespace == self.namespace:
                    inside.add(pid)
                elif (
                    namespace == _namespace("self")
                    and Path(f"/proc/{pid}").stat().st_uid == self.uid != os.geteuid()
                ):
                    outside.add(pid)
        # the next sandbox may be starting under the same user id by now
        return sorted(inside | outside.difference(tree(os.getpid())))


def _is_dead(pid):
    """Tell whether a process only waits for its parent to look; a dead leader of living threads is not dead."""
    state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    return state == "Z" and len(os.listdir(f"/proc/{pid}/task")) == 1  # noqa: PTH208 - names, not paths


def _namespace(pid):
    return str(Path(f"/proc/{pid}/ns/pid").readlink())


def _groups(pid):
    """Yield the folders of a process's control groups that are not also this process's."""
    mine = Path("/proc/self/cgroup").read_text().splitlines()
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, kinds, path = line.split(":", 2)
        if line not in mine and path != "/":
            folders = (top / path.lstrip("/") for top in Path("/sys/fs/cgroup").glob(kinds or "*"))
            yield from (folder for folder in folders if folder.is_dir())


def _inode(path):
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


class Ears:
    """Sockets on all of the host's addresses that nobody in a sandbox may reach."""

    def __init__(self) -> None:
        self._tcp = socket.create_server(("0.0.0.0", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("0.0.0.0", self.port))
        self._unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._unix.bind(f"\0lethe-{self.port}")
        self._unix.listen()
        for one in (self._tcp, self._udp, self._unix):
            one.setblocking(False)

    def assert_heard_nothing(self) -> None:
        for listening in (self._tcp.accept, self._unix.accept, lambda: self._udp.recv(100)):
            with contextlib.suppress(BlockingIOError):
                raise AssertionError(f"something came out of a sandbox: {listening()!r}")

    def close(self) -> None:
        for one in (self._tcp, self._udp, self._unix):
            one.close()
