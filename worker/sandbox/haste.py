"""Let what has been killed end at once: sixty processes need more than a second of a core to be torn down.

On a busy machine the kernel would share that core out between sessions and control groups, and the end take as many times
longer as there are others. What has been killed runs none of its own code any more, so it may go before everybody else, on
its own cores and on free ones. No other run is disturbed: a run's cores are its own.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from worker.sandbox.claims import claim
from worker.sandbox.watchdog import tree

_FIRST = os.sched_param(1)


_SHARES = ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup")
"""Where control groups share out processor time, in version 1 and in version 2."""


@contextlib.contextmanager
def hastened(pid: int) -> Iterator[None]:
    """Put a killed sandbox's threads first, on all cores that are free, until they are dead; as far as we may."""
    with contextlib.ExitStack() as held:
        free = [one for core in sorted(os.sched_getaffinity(0)) if (one := claim("core", core)) is not None]
        for one in free:
            held.enter_context(one)
        with contextlib.suppress(OSError):  # nothing of it is left
            cores = os.sched_getaffinity(pid) | {one.number for one in free}
            for process in tree(pid):
                _put_first(process, cores)
        yield


def _put_first(process: int, cores: set[int]) -> None:
    with contextlib.suppress(OSError):  # it is dead by now, or others may not choose for it
        for thread in _threads(process):
            os.sched_setaffinity(thread, cores)
        _leave_group(process)
        for thread in _threads(process):
            os.sched_setscheduler(thread, os.SCHED_RR, _FIRST)


def _threads(process: int) -> list[int]:
    return [int(thread) for thread in os.listdir(f"/proc/{process}/task")]  # noqa: PTH208 - names, not paths


def _leave_group(process: int) -> None:
    """Move a process to the top of the groups: the share of a group such as Docker's is not ours to raise."""
    for top in _SHARES:
        with contextlib.suppress(OSError):  # there is no such place, or it is not ours
            (Path(top) / "cgroup.procs").write_text(str(process))
            return
