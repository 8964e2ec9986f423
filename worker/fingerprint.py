"""What of a machine, and of a competition's limits on it, decides how fast a run is: facts, their digest, and words."""

import functools
import hashlib
import json
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from app.competitions import Sandbox

_CPUINFO = Path("/proc/cpuinfo")
_NVIDIA = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Fingerprint:
    """Equal facts, equal digest: seconds measured on one such device hold on the other."""

    facts: dict[str, Any]
    name: str  # for people; a part of the facts

    @property
    def digest(self) -> str:
        """16 hexadecimal digits."""
        canonical = json.dumps(self.facts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def fingerprint(limits: Sandbox, device: str, sandboxes: str) -> Fingerprint:
    """Return what runs under a competition's limits meet here. `sandboxes` is the back end's identity."""
    here = machine(device, sandboxes)
    given = {"threads": limits.threads, "memory_mb": limits.memory_mb, "processes": limits.processes}
    threads = f"{limits.threads} thread{'' if limits.threads == 1 else 's'}"
    return Fingerprint(here.facts | given, f"{here.name}, {threads}"[:200])


def machine(device: str, sandboxes: str) -> Fingerprint:
    """Return what a worker's device is, whatever a competition lets runs use of it."""
    accelerator = None if device == "cpu" else _accelerator(device)
    facts = {
        "processor": processor(),
        "accelerator": accelerator,
        "torch": torch.__version__,
        "sandboxes": sandboxes,
    }
    return Fingerprint(facts, processor() if accelerator is None else accelerator["model"])


@functools.cache
def processor() -> str:
    """Name this machine's processor."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", _CPUINFO.read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()


@functools.cache
def _accelerator(device: str) -> dict[str, Any]:
    """Describe a GPU or a MIG instance, which torch shows as a GPU of its own, and its driver."""
    properties = torch.cuda.get_device_properties(device)
    return {
        "model": properties.name,
        "memory_bytes": properties.total_memory,
        "processors": properties.multi_processor_count,
        "cuda": torch.version.cuda,
        "driver": _driver(),
    }


def _driver() -> str:
    """Return the line by which NVIDIA's kernel module tells its version."""
    try:
        return _NVIDIA.read_text().splitlines()[0].strip()
    except (OSError, IndexError):
        return "unknown"
