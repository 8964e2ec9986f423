"""Runs without a sandbox, for `lethe local --no-sandbox` alone: the same runner in an ordinary process.

It keeps the contract, the clock, the cutoff and the caps on memory and time, and isolates nothing: the code can reach the
network, other files and other processes. No setting of a service leads here.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from worker import calibration_bundle
from worker.sandbox import runner
from worker.sandbox.base import Job, RunResult, SandboxFault, SandboxSpec
from worker.sandbox.command import find_host
from worker.sandbox.session import WatchedSandbox
from worker.sandbox.starting import wait_for_ready
from worker.sandbox.watchdog import Watchdog

_START_SECONDS = 300.0  # mostly torch, which takes long on a busy machine


class Plain:
    """A back end that isolates nothing."""

    name = identity = "none"

    def probe(self) -> None:
        """Nothing can be missing."""

    def start(self, spec: SandboxSpec) -> WatchedSandbox:
        """Start the runner and block until it is READY. Raises SandboxFault."""
        host = find_host()
        folder = Path(tempfile.mkdtemp(prefix="lethe-run-"))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        settings = {
            "control": theirs.fileno(),
            "material": str(spec.material),
            "packages": str(host.packages),
            "bundle_folder": str(folder / "bundle"),
            "device": spec.device,
            "threads": spec.limits.threads,
            "rlimits": {"RLIMIT_CORE": 0},
        }
        with theirs:
            process = subprocess.Popen(
                [str(host.interpreter), "-I", "-B", runner.__file__, json.dumps(settings)],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=folder,
                process_group=0,  # Ctrl-C is for us, who then end it
            )
        body = _Body(process, os.pidfd_open(process.pid), ours, folder)
        try:
            wait_for_ready(ours, time.monotonic() + _START_SECONDS)
        except (OSError, SandboxFault) as error:
            ours.close()
            body.discard()
            os.close(body.pidfd)
            raise SandboxFault(f"the runner did not start: {error}") from error
        return _Unconfined(body, Watchdog(process.pid, spec.limits.memory_bytes), spec)

    def close(self) -> None:
        """Nothing is left of a run that is over."""


class _Unconfined(WatchedSandbox):
    """Is told where the data are: only in sandboxes do they lie where retraining looks for them."""

    def __init__(self, body: "_Body", meter: Watchdog, spec: SandboxSpec) -> None:
        super().__init__(body, meter, spec.limits)
        self._material = spec.material

    def run(self, job: Job, should_stop: Callable[[], bool]) -> RunResult:
        """See worker.sandbox.base.Sandbox."""
        if job.bundle == calibration_bundle.bundle():
            job = replace(job, bundle=calibration_bundle.bundle(str(self._material)))
        return super().run(job, should_stop)


@dataclass(frozen=True)
class _Body:
    """See worker.sandbox.session.Body."""

    process: "subprocess.Popen[bytes]"
    pidfd: int
    control: socket.socket
    folder: Path

    @property
    def pid(self) -> int:
        """The runner's process."""
        return self.process.pid

    def exit_code(self) -> int:
        """Return the exit code, 128 + n for a signal."""
        code = self.process.wait()
        return code if code >= 0 else 128 - code

    def discard(self) -> None:
        """End what the code may have left running in its process group, and remove its folder."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
