"""How much memory a sandbox's processes hold, read from /proc."""

from pathlib import Path

_PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """Return the process and all its descendants; orphans belong to the sandbox's pid 1, so none is lost."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        try:
            tasks = list((_PROC / str(current) / "task").iterdir())
            for task in tasks:
                waiting.extend(int(child) for child in (task / "children").read_text().split())
        except OSError:  # it ended while we looked
            continue
    return found


def over_limit(pid: int, limit_bytes: int) -> bool:
    """Tell whether the tree holds more private and shared memory than the limit (files mapped from disk not counted).

    Pages shared after a fork count once: the quick sum, which counts them in each process, only asks for the exact one.
    """
    processes = tree(pid)
    if sum(_resident(process) for process in processes) <= limit_bytes:
        return False
    return sum(_proportional(process) for process in processes) > limit_bytes


def _resident(pid: int) -> int:
    return _sum_of_kib(_PROC / str(pid) / "status", ("RssAnon:", "RssShmem:"))


def _proportional(pid: int) -> int:
    try:
        return _sum_of_kib(
            _PROC / str(pid) / "smaps_rollup", ("Pss_Anon:", "Pss_Shmem:"), missing_is_zero=False
        )
    except PermissionError:  # an ordinary user may not always look; then the quick sum decides
        return _resident(pid)


def _sum_of_kib(path: Path, names: tuple[str, ...], *, missing_is_zero: bool = True) -> int:
    try:
        lines = path.read_text().splitlines()
    except PermissionError:
        if missing_is_zero:
            return 0
        raise
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(names))
