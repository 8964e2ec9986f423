"""Control groups (versions 1 and 2): the kernel itself caps a sandbox's memory and processes and counts its seconds.

Everything counts there: private and shared memory, /tmp and its file names, what waits in pipes and sockets. Where a worker
may make no groups (an ordinary user without a delegated one, most containers), the watchdog stands in.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from worker.sandbox.base import Limits, SandboxFault
from worker.sandbox.meter import Usage

NAME = "lethe"
_ASIDE = f"{NAME}-aside"  # beside it in a delegated group of version 2: where the worker itself moves
_NEEDED = ("memory", "pids", "cpuacct")  # what a group of version 1 needs; version 2 counts seconds by itself
_REMOVE_SECONDS = 5.0
_NEAR = 1 << 20  # the kernel counts memory in batches of pages
_OURS = 4  # processes of bubblewrap's own beside the participant's


@dataclass(frozen=True)
class Cgroup:
    """One sandbox's group: controller -> folder, all the same folder in version 2."""

    version: int
    folders: Mapping[str, Path]

    def limit(self, limits: Limits) -> None:
        """Set the caps. Raises OSError."""
        memory, pids = self.folders["memory"], self.folders["pids"]
        (pids / "pids.max").write_text(str(limits.processes + _OURS))
        if self.version == 1:
            (memory / "memory.limit_in_bytes").write_text(str(limits.memory_bytes))
            _write_if_there(memory / "memory.memsw.limit_in_bytes", str(limits.memory_bytes))
            _write_if_there(memory / "memory.swappiness", "0")
            return
        (memory / "memory.max").write_text(str(limits.memory_bytes))
        _write_if_there(memory / "memory.swap.max", "0")

    @property
    def entrances(self) -> list[Path]:
        """Files that take in the process whose number is written to them."""
        return [folder / "cgroup.procs" for folder in dict.fromkeys(self.folders.values())]

    def cpu_seconds(self) -> float:
        """Return the processor seconds of all that ever ran in it."""
        if self.version == 1:
            return int((self.folders["cpuacct"] / "cpuacct.usage").read_text()) / 1e9
        return _numbers(self.folders["memory"] / "cpu.stat")["usage_usec"] / 1e6

    def memory_kills(self) -> int:
        """Return how many of its processes the kernel killed for memory."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        return _numbers(self.folders["memory"] / name).get("oom_kill", 0)

    def reached_its_cap(self) -> bool:
        """Tell whether its own cap on memory was ever met; if not, whoever was killed was killed for the machine's sake."""
        memory = self.folders["memory"]
        if self.version == 1:  # its counts of failures stay at 0 where memory and swap have the same cap
            most, cap = (
                int((memory / f"memory.{name}_in_bytes").read_text()) for name in ("max_usage", "limit")
            )
            return most > cap - _NEAR
        return _numbers(memory / "memory.events").get("oom", 0) > 0

    def remove(self) -> None:
        """Remove it; its processes are dead, and the kernel may take a moment to see that. Never raises for that."""
        deadline = time.monotonic() + _REMOVE_SECONDS
        for folder in dict.fromkeys(self.folders.values()):
            while folder.is_dir():
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        break  # the next sandbox of this name takes it over
                    time.sleep(0.005)


@dataclass(frozen=True)
class Cgroups:
    """Where this worker may make groups."""

    version: int
    tops: Mapping[str, Path]

    @classmethod
    def find(cls) -> Self | None:
        """Return the place, prepared, or None when there is none for us. Root's is at the top of each hierarchy."""
        for version, tops in _candidates():
            with contextlib.suppress(OSError):
                _prepare(version, tops)
                found = cls(version, tops)
                trial = found.make(f"trial-{os.getpid()}", Limits(1 << 30, 64, 0, 0))
                trial.remove()
                return found
        return None

    def named(self, name: str) -> Cgroup:
        """Return the group of this name, whether or not it is there."""
        return Cgroup(self.version, {kind: top / name for kind, top in self.tops.items()})

    def make(self, name: str, limits: Limits) -> Cgroup:
        """Make a group under its caps; one that a dead worker left under this name is removed first. Raises OSError."""
        group = self.named(name)
        group.remove()
        try:
            for folder in dict.fromkeys(group.folders.values()):
                folder.mkdir()
            group.limit(limits)
        except BaseException:
            group.remove()
            raise
        return group


class CgroupMeter:
    """A Meter over a control group. The kernel kills one process for memory; we end the rest of the sandbox."""

    def __init__(self, group: Cgroup) -> None:
        self._group = group
        self._begin = 0.0
        self._kills = 0

    def start(self) -> None:
        """Count from here on."""
        self._begin = self._group.cpu_seconds()

    def look(self) -> Usage:
        """Return what is used now. Seconds stand still once others have removed a dead sandbox's group."""
        try:
            self._count()
            return Usage(self._group.cpu_seconds() - self._begin, self._kills > 0)
        except OSError:
            return Usage(0.0, over_memory=False)

    def killed_for_memory(self) -> bool:
        """Tell whether the kernel killed a process for memory, so far as we could see before the group was removed."""
        with contextlib.suppress(OSError):
            self._count()
        return self._kills > 0

    def _count(self) -> None:
        """Look for kills. Raises SandboxFault for one that only the machine's own lack of memory explains."""
        self._kills = self._group.memory_kills()
        if self._kills and not self._group.reached_its_cap():
            raise SandboxFault("this machine ran out of memory, and the kernel ended a sandbox for it")


def group_of(pid: int) -> Cgroup | None:
    """Return the group that somebody else, such as a Docker daemon, put a process into; None if we cannot see it."""
    try:
        own = _own(Path(f"/proc/{pid}/cgroup"))
        for version, mounts in ((1, _mounts_v1()), (2, _mounts_v2())):
            folders = {
                kind: mounts[kind] / own[key] for kind in mounts if (key := _key(version, kind)) in own
            }
            if set(_NEEDED) <= set(folders) and all(path.is_dir() for path in folders.values()):
                found = Cgroup(version, folders)
                found.cpu_seconds(), found.memory_kills()
                return found
    except (OSError, KeyError, ValueError):
        pass
    return None


def _candidates() -> Iterator[tuple[int, dict[str, Path]]]:
    own = {} if os.geteuid() == 0 else _own(Path("/proc/self/cgroup"))
    for version, mounts in ((1, _mounts_v1()), (2, _mounts_v2())):
        if set(_NEEDED) <= set(mounts):
            tops = {
                kind: mounts[kind] / delegated(own.get(_key(version, kind), "")) / NAME for kind in _NEEDED
            }
            yield version, tops


def delegated(group: str) -> PurePosixPath:
    """Return the group that was given to us, from the one we are in: we, or whoever started us, may have moved aside."""
    own = PurePosixPath(group)
    return own.parent if own.name == _ASIDE else own


def _prepare(version: int, tops: Mapping[str, Path]) -> None:
    for top in dict.fromkeys(tops.values()):
        if version == 2:
            _delegate(top.parent)
        top.mkdir(exist_ok=True)
        if version == 2:
            _delegate(top)


def _delegate(folder: Path) -> None:
    """Let the groups below this one have controllers, which it may not while it holds processes: ours move out.

    Raises OSError where others stay in it, such as a shell.
    """
    control = folder / "cgroup.subtree_control"
    wanted = "+memory +pids"
    try:
        control.write_text(wanted)
    except OSError:
        aside = folder / _ASIDE
        aside.mkdir(exist_ok=True)
        (aside / "cgroup.procs").write_text(str(os.getpid()))
        control.write_text(wanted)


def _mounts_v1() -> dict[str, Path]:
    """Return controller -> where its hierarchy of version 1 is mounted."""
    found: dict[str, Path] = {}
    for kind, where, options in _mounted():
        if kind == "cgroup":
            found |= {name: where for name in options if name in _NEEDED}
    return found


def _mounts_v2() -> dict[str, Path]:
    for kind, where, _ in _mounted():
        if kind == "cgroup2":
            controllers = (where / "cgroup.controllers").read_text().split()
            if {"memory", "pids"} <= set(controllers):
                return dict.fromkeys(_NEEDED, where)
    return {}


def _mounted() -> Iterator[tuple[str, Path, list[str]]]:
    """Yield (type, mount point, options) of the control-group file systems that show their root."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split(" ", 2)
        root, where = fields.split(" ")[3:5]
        if kind in {"cgroup", "cgroup2"} and root == "/":
            yield kind, Path(where), options.split(",")


def _own(path: Path) -> dict[str, str]:
    """Return controller ("" in version 2) -> a process's group, relative to the hierarchy's root."""
    found: dict[str, str] = {}
    for line in path.read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        found |= {name: group.lstrip("/") for name in controllers.split(",")}
    return found


def _key(version: int, kind: str) -> str:
    return kind if version == 1 else ""


def _numbers(path: Path) -> dict[str, int]:
    """Read a file of lines such as `usage_usec 12`."""
    pairs = (line.split() for line in path.read_text().splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _write_if_there(path: Path, text: str) -> None:
    """Set what this kernel may not have: swap."""
    if path.exists():
        path.write_text(text)
