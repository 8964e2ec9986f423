"""What a sandbox's processes use, all together, while a run's clock ticks: the seam between the watch and its sources."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Usage:
    """One look at a running sandbox."""

    cpu_seconds: float  # processor seconds of all its processes since `start`
    over_memory: bool  # it holds more than it may, and nothing but us will end it for that


class Meter(Protocol):
    """Counts for one sandbox; control groups where there are any (cgroup.py), else /proc (watchdog.py)."""

    def start(self) -> None:
        """Count from here on: GO is about to be sent."""

    def look(self) -> Usage:
        """Return what is used now; called some fifty times a second. Raises SandboxFault for what is our doing."""

    def killed_for_memory(self) -> bool:
        """Tell, of a dead sandbox, whether the kernel killed a process of its for memory. Raises as `look`."""
