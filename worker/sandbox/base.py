"""The seam between the pipeline and whatever isolates a participant's code.

A participant's failure is data (`RunResult`); only our own failure raises `SandboxFault`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.status import Verdict


class SandboxFault(Exception):  # noqa: N818 - "fault" is the project's word for what is ours
    """The sandbox itself failed: ours, retried, never blamed on the participant."""


class SandboxUnavailable(SandboxFault):
    """No working back end on this machine; the message names what to install."""


@dataclass(frozen=True)
class Limits:
    """What one sandbox may use."""

    memory_bytes: int
    processes: int
    tmp_bytes: int
    output_bytes: int  # exact size of the output slot's payload area
    threads: int = 1


@dataclass(frozen=True)
class SandboxSpec:
    """What every sandbox of a split is started with; equal specs may share a pool."""

    material: Path  # folder mounted read-only: model.py, material.json, material.npz, original.npz
    limits: Limits
    device: str = "cpu"


@dataclass(frozen=True)
class Log:
    """What a run printed: its beginning and its end, with a line between them that says what was left out, if any."""

    text: bytes = b""
    dropped_bytes: int = 0


def untold(_log: Log) -> None:
    """Hear what a run has printed, and do nothing with it."""


@dataclass(frozen=True)
class Job:
    """What comes in with GO, and the host's cutoff in seconds from GO.

    `log_bytes` is how much of what the code prints is kept. Above 0 only on public data: prints carry data out.
    `printed` is called with all that is kept so far whenever there is more, up to 50 times a second; it must not block.
    """

    bundle: bytes
    seed: int
    cutoff_seconds: float
    log_bytes: int = 0
    printed: Callable[[Log], None] = untold


@dataclass(frozen=True)
class RunResult:
    """How one run ended: `verdict` and `reason` are None when weights were left in `output`.

    There is a `log` only where the job asked for one.
    """

    seconds: float  # host's clock from GO to the death of the whole sandbox
    output: bytes = b""
    verdict: Verdict | None = None
    reason: str | None = None
    log: Log | None = None


class Sandbox(Protocol):
    """One single-use sandbox: READY before it knows any participant, dead after one run."""

    def run(self, job: Job, should_stop: Callable[[], bool]) -> RunResult:
        """Send GO, wait for death or the cutoff, and return what happened.

        `should_stop` is polled about ten times a second; when it is true everything is killed and the
        result is `cancelled`. Raises SandboxFault when the sandbox itself misbehaves.
        """

    def close(self) -> None:
        """Kill and clean up; safe to call at any time and more than once."""


class Backend(Protocol):
    """A way to make sandboxes."""

    name: str

    @property
    def identity(self) -> str:
        """What participants' code meets here, by name and, where there is an image, its digest: part of calibrations."""

    def probe(self) -> None:
        """Raise SandboxUnavailable, naming the cause and the package to install, unless sandboxes work here."""

    def start(self, spec: SandboxSpec) -> Sandbox:
        """Start a sandbox and block until it is READY. Raises SandboxFault."""

    def close(self) -> None:
        """Wait until nothing of dead sandboxes is left; no more are started."""
