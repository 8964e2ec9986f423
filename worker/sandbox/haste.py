"""Let what is being killed have its core to itself: sixty processes need a second of it to be torn down.

On a busy machine the kernel would share that core out between sessions and control groups, and the end take as many times
longer as there are others. Nobody else's run is disturbed: a run's cores are its own.
"""

import contextlib
from pathlib import Path

_MOST = {"cpu.shares": "262144", "cpu.weight": "10000"}  # in control groups of version 1, of version 2


def hasten(pid: int) -> None:
    """Give a sandbox's processes the most weight that we may; does nothing where we may not."""
    with contextlib.suppress(OSError):
        (Path("/proc") / str(pid) / "autogroup").write_text("-20")
    with contextlib.suppress(OSError):
        for group in _own_groups(pid):
            for name, most in _MOST.items():
                if (group / name).exists():
                    (group / name).write_text(most)


def _own_groups(pid: int) -> list[Path]:
    """Return the folders of the groups that share out processor time and that a process does not have in common with us."""
    ours, theirs = (Path(f"/proc/{who}/cgroup").read_text().splitlines() for who in ("self", pid))
    found = []
    for line in set(theirs) - set(ours):
        _, kinds, path = line.split(":", 2)
        if not kinds or "cpu" in kinds.split(","):
            found.append(Path("/sys/fs/cgroup") / kinds / path.lstrip("/"))
    return found
