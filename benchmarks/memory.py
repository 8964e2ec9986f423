"""The memory that a benchmark's process has used."""

import re
from pathlib import Path


def peak_mb(process: int | str = "self") -> float:
    """Return a process's highest resident memory so far, in MB (10**6 bytes).

    From the kernel's account of this program alone; getrusage would count the parent's before it started this one.
    """
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / 1e6
