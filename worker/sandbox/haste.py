"""Let what is being killed have the cores it can: sixty processes need more than a second of one to be torn down.

On a busy machine the kernel would share that core out between sessions, and the end take as many times longer as there
are others. (A container is no session but a control group among Docker's: there only the cores help.) Nobody else's run is
disturbed: a run's cores are its own, and only free ones are added.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from worker.sandbox.base import SandboxUnavailable
from worker.sandbox.claims import claim
from worker.sandbox.watchdog import tree


@contextlib.contextmanager
def hastened(pid: int) -> Iterator[None]:
    """Give a sandbox's processes, which have been killed, weight and cores until they are dead; as far as we may."""
    with contextlib.suppress(OSError):
        (Path("/proc") / str(pid) / "autogroup").write_text("-20")
    with contextlib.ExitStack() as held:
        # nothing of it is left, or others may not choose for it: then it dies at its own pace
        with contextlib.suppress(OSError, SandboxUnavailable):
            cores = os.sched_getaffinity(pid)
            for core in sorted(os.sched_getaffinity(0) - cores):
                if (free := claim("core", core)) is not None:
                    held.enter_context(free)
                    cores.add(core)
            _spread(pid, cores)
        yield


def _spread(pid: int, cores: set[int]) -> None:
    for process in tree(pid):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(process, cores)
