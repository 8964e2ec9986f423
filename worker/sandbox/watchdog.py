"""How much memory and processor time a sandbox's processes use, read from /proc.

Names of processes and files are the participant's to choose: everything is read as bytes, and only numbers count.
"""

import functools
import os
import re
from pathlib import Path

from worker.sandbox.meter import Usage

_PROC = Path("/proc")
_MOST_MAPS_BYTES = 16 << 20
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
_THOROUGH_LOOKS = 25


class Watchdog:
    """A Meter that walks the tree of processes below the sandbox's first one; memory over the limit is ours to end."""

    def __init__(self, pid: int, memory_bytes: int) -> None:
        self._pid = pid
        self._memory_bytes = memory_bytes
        self._looks = 0
        self._clock: CpuClock | None = None

    def start(self) -> None:
        """Count from here on."""
        self._clock = CpuClock(self._pid)

    def look(self) -> Usage:
        """Return what is used now; each 25th look at memory is a thorough one."""
        assert self._clock is not None
        self._looks += 1
        processes = tree(self._pid)
        thorough = self._looks % _THOROUGH_LOOKS == 0
        over = over_limit(processes, self._memory_bytes, thorough=thorough)
        return Usage(self._clock.seconds(processes), over)

    def killed_for_memory(self) -> bool:
        """Return False: the kernel enforces no limit here, so it killed nobody for one."""
        return False


def tree(pid: int) -> list[int]:
    """Return the process and all its descendants; orphans belong to the sandbox's pid 1, so none is lost."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        try:
            tasks = list((_PROC / str(current) / "task").iterdir())
            for task in tasks:
                waiting.extend(int(child) for child in (task / "children").read_bytes().split())
        except OSError:  # it ended while we looked
            continue
    return found


def over_limit(processes: list[int], limit_bytes: int, *, thorough: bool = False) -> bool:
    """Tell whether the processes hold more private and shared memory than the limit (files on disk not counted).

    Pages shared after a fork count once: the quick sum, which counts them in each process, only asks for the exact one.
    A thorough look takes shared memory by the size of what is mapped, held in a page table at the moment or not.
    """
    mapped = _mapped_shared_bytes(processes) if thorough else 0
    if mapped is None:
        return True
    for look in (_resident, _proportional):
        held = [look(process) for process in processes]
        if (
            sum(private for private, _ in held) + max(mapped, sum(shared for _, shared in held))
            <= limit_bytes
        ):
            return False
    return True


def _resident(pid: int) -> tuple[int, int]:
    try:
        return _private_and_shared(_place(pid) / "status", b"RssAnon", b"RssShmem")
    except OSError:  # it ended while we looked
        return 0, 0


def _proportional(pid: int) -> tuple[int, int]:
    try:
        return _private_and_shared(_place(pid) / "smaps_rollup", b"Pss_Anon", b"Pss_Shmem")
    except OSError:  # it ended, or an ordinary user may not look; then the quick sum decides
        return _resident(pid)


def _place(pid: int) -> Path:
    """Return where a process's memory shows: with a thread that lives, for its first one may have ended and shows none."""
    process = _PROC / str(pid)
    if not _has_ended(process):
        return process
    return next((task for task in (process / "task").iterdir() if not _has_ended(task)), process)


def _has_ended(task: Path) -> bool:
    return (task / "stat").read_bytes().rpartition(b")")[2].split()[0] in {b"Z", b"X"}


def _private_and_shared(path: Path, private: bytes, shared: bytes) -> tuple[int, int]:
    """Return two of the sizes in a file of lines such as `RssAnon: 12 kB`, in bytes; one that is missing is 0."""
    lines = path.read_bytes().split(b"\n")  # never splitlines: a process's name may hold other ends of a line
    sizes = {key: value for key, _, value in (line.partition(b":") for line in lines)}
    return _bytes(sizes.get(private)), _bytes(sizes.get(shared))


def _bytes(kib: bytes | None) -> int:
    return int(kib.split()[0]) * 1024 if kib else 0


def _mapped_shared_bytes(processes: list[int]) -> int | None:
    """Sum the sizes of the memory files that the processes map; None when there is too much to read through."""
    sizes: dict[bytes, int] = {}
    left = _MOST_MAPS_BYTES
    for process in processes:
        try:
            with (_place(process) / "maps").open("rb") as file:
                said = file.read(left)
        except OSError:  # it ended while we looked
            continue
        left -= len(said)
        if left <= 0:
            return None
        for begin, end, offset, inode in _memory_file_pattern().findall(said):
            size = int(offset, 16) + int(end, 16) - int(begin, 16)
            sizes[inode] = max(size, sizes.get(inode, 0))
    return sum(sizes.values())


@functools.cache
def _memory_file_pattern() -> re.Pattern[bytes]:
    """Match a line of /proc/<pid>/maps about a file on the kernel's own tmpfs, where shared memory lives."""
    descriptor = os.memfd_create("device")
    device = os.fstat(descriptor).st_dev
    os.close(descriptor)
    number = f"{os.major(device):02x}:{os.minor(device):02x}".encode()
    return re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) %b (\d+)" % number, re.MULTILINE)


class CpuClock:
    """Processor seconds that a tree of processes has used since this was made.

    Ended children are counted in two ways, as their parents account for them and as they were last seen (a parent may
    choose not to), and the larger sum is taken: neither counts anything twice.
    """

    def __init__(self, pid: int) -> None:
        self._last: dict[tuple[int, int], int] = {}
        self._ended = 0
        self._begin = 0.0
        self._begin = self.seconds([pid])

    def seconds(self, processes: list[int]) -> float:
        """Return the sum so far; `processes` are those alive now."""
        own: dict[tuple[int, int], int] = {}
        reaped = 0
        for pid in processes:
            numbers = _stat(pid)
            if numbers is not None:
                own[pid, numbers[19]] = numbers[11] + numbers[12]
                reaped += numbers[13] + numbers[14]
        self._ended += sum(ticks for key, ticks in self._last.items() if key not in own)
        self._last = own
        return (sum(own.values()) + max(reaped, self._ended)) * _TICK_SECONDS - self._begin


def _stat(pid: int) -> list[int] | None:
    """Return the numbers of /proc/<pid>/stat from its third field on (0 for the state's letter)."""
    try:
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return [0, *(int(field) for field in fields[1:])]
