"""Let what has been killed end at once: sixty processes need more than a second of a core to be torn down.

On a busy machine the kernel would share that core out between sessions and control groups, and the end take as many times
longer as there are others. What has been killed runs none of its own code any more, so it may go before everybody else, on
its own cores and on free ones. No other run is disturbed: a run's cores are its own.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from worker.sandbox.base import SandboxUnavailable
from worker.sandbox.claims import claim
from worker.sandbox.watchdog import tree

_FIRST = os.sched_param(1)

_SHARES = [Path("/sys/fs/cgroup") / kind / "cgroup.procs" for kind in ("cpu", "cpu,cpuacct", "")]
"""Where control groups share out processor time, in version 1 and in version 2."""


@contextlib.contextmanager
def hastened(pid: int) -> Iterator[None]:
    """Put a killed sandbox's threads first, on all cores that are free, until they are dead; as far as we may."""
    with contextlib.ExitStack() as held:
        # nothing of it is left, or others may not choose for it: then it dies at its own pace
        with contextlib.suppress(OSError, SandboxUnavailable):
            cores = os.sched_getaffinity(pid)
            for core in sorted(os.sched_getaffinity(0) - cores):
                if (free := claim("core", core)) is not None:
                    held.enter_context(free)
                    cores.add(core)
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
    place = next((place for place in _SHARES if place.exists()), None)
    if place is not None:
        with contextlib.suppress(PermissionError):
            place.write_text(str(process))
