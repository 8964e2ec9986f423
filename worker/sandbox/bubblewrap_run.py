"""One bubblewrap sandbox, from READY to its death: GO, the host's clock, the kill, and what is left."""

import contextlib
import json
import math
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.reasons import REASONS
from worker.sandbox.base import Job, Limits, RunResult, SandboxFault
from worker.sandbox.claims import Claim, claim_cores
from worker.sandbox.memfd import output_slot, read_output, sealed_input
from worker.sandbox.runner import EXIT_REASONS, TAKEN
from worker.sandbox.watchdog import CpuClock, over_limit, tree

TICK_SECONDS = 0.02
_STOP_TICKS = 5
_THOROUGH_TICKS = 25
_CPU_SLACK_SECONDS = 0.25  # the kernel counts in ticks of its own, process by process
_DEATH_SECONDS = 30.0


@dataclass(frozen=True)
class Handles:
    """The sandbox as the host holds it."""

    process: subprocess.Popen[bytes]  # bwrap, outside
    pid: int  # the sandbox's pid 1, by the host's number
    pidfd: int
    control: socket.socket


class BubblewrapSandbox:
    """A READY sandbox; see worker.sandbox.base.Sandbox."""

    def __init__(self, handles: Handles, limits: Limits, released: Callable[[], None]) -> None:
        self._handles = handles
        self._limits = limits
        self._released = released
        self._lock = threading.Lock()
        self._used = False
        self._running = False
        self._interrupted = False
        self._closed = False

    def run(self, job: Job, should_stop: Callable[[], bool]) -> RunResult:
        """Send GO and watch until death, the cutoff, a stop or too much memory. `should_stop` must not block."""
        with self._lock:
            if self._used or self._closed:
                raise SandboxFault("a sandbox serves one run only")
            self._used = self._running = True
        bundle, output = sealed_input(job.bundle), output_slot(self._limits.output_bytes)
        cores: list[Claim] = []
        try:
            if self._dead_within(0):
                raise SandboxFault("the sandbox died before its run")
            cores = claim_cores(self._limits.threads)
            self._fix_cores(cores)
            clock = CpuClock(self._handles.pid)
            started = time.monotonic()
            self._go(job, bundle, output)
            reason = self._watch(job, started, clock, should_stop)
            seconds = time.monotonic() - started
            return self._result(reason, seconds, output)
        except OSError as error:
            raise SandboxFault(f"the sandbox could not be watched: {error}") from error
        finally:
            for core in cores:
                core.release()
            os.close(bundle)
            os.close(output)
            self._running = False
            self.close()

    def close(self) -> None:
        """Kill and clean up; while a run goes on in another thread, that run does the cleaning."""
        with self._lock:
            if self._closed:
                return
            self._kill()
            if self._running:
                self._interrupted = True
                return
            self._closed = True
        self._handles.process.wait()
        self._handles.control.close()
        os.close(self._handles.pidfd)
        self._released()

    def _fix_cores(self, cores: list[Claim]) -> None:
        """Fix the cores of all that this run will start; what runs inside may not choose others.

        Without a claim, because others hold the cores, the kernel shares them out and only the sum is watched.
        """
        if not cores:
            return
        with contextlib.suppress(
            PermissionError
        ):  # root in a container without CAP_SYS_NICE: as without a claim
            for thread in os.listdir(f"/proc/{self._handles.pid}/task"):  # noqa: PTH208 - names, not paths
                os.sched_setaffinity(int(thread), {core.number for core in cores})

    def _go(self, job: Job, bundle: int, output: int) -> None:
        # for each process, should this worker hang: far beyond what the watch allows
        most = 60 + math.ceil(2 * job.cutoff_seconds * self._limits.threads)
        go = json.dumps({"seed": job.seed, "cpu_seconds": most}).encode()
        try:
            socket.send_fds(self._handles.control, [go], [bundle, output])
        except OSError as error:
            raise SandboxFault(f"the sandbox died before its run: {error}") from error

    def _watch(
        self, job: Job, started: float, clock: CpuClock, should_stop: Callable[[], bool]
    ) -> str | None:
        """Wait for the death of everything inside; return the reason if it was we who ended it."""
        deadline = started + job.cutoff_seconds
        cpu_seconds = job.cutoff_seconds * self._limits.threads + _CPU_SLACK_SECONDS
        reason: str | None = None
        tick = 0
        while not self._dead_within(min(TICK_SECONDS, deadline - time.monotonic())):
            tick += 1
            processes = tree(self._handles.pid)
            thorough = tick % _THOROUGH_TICKS == 0
            if time.monotonic() >= deadline or clock.seconds(processes) > cpu_seconds:
                reason = "over_cutoff"
            elif over_limit(processes, self._limits.memory_bytes, thorough=thorough):
                reason = "memory_limit"
            elif tick % _STOP_TICKS == 0 and should_stop():
                reason = "cancelled_on_request"
            if reason is not None:
                self._kill()
                if not self._dead_within(_DEATH_SECONDS):
                    raise SandboxFault("the sandbox outlived its kill")
                return reason
        return "over_cutoff" if time.monotonic() >= deadline else None

    def _dead_within(self, seconds: float) -> bool:
        """Wait for pid 1's death; the kernel reports it only after every other process inside is dead."""
        poll = select.poll()
        poll.register(self._handles.pidfd, select.POLLIN)
        return bool(poll.poll(max(0, math.ceil(seconds * 1000))))

    def _result(self, reason: str | None, seconds: float, output: int) -> RunResult:
        if self._interrupted:
            raise SandboxFault("the sandbox was closed during its run")
        if reason == "cancelled_on_request":
            return _ended(reason, seconds)
        if not self._was_taken():
            raise SandboxFault("the sandbox died before it took its job")
        if reason is None:
            code = self._handles.process.wait()
            if code < 0:  # nobody inside can reach bwrap
                raise SandboxFault(f"bwrap was ended from outside by signal {-code}")
            reason = None if code == 0 else EXIT_REASONS.get(code, "died")
        if reason is not None:
            return _ended(reason, seconds)
        payload = read_output(output, self._limits.output_bytes)
        if payload is None:
            return _ended("malformed_output", seconds)
        return RunResult(seconds, payload) if payload else _ended("no_weights", seconds)

    def _was_taken(self) -> bool:
        """Tell whether the runner had taken the job: said before any byte of the participant's, so never forged."""
        try:
            return self._handles.control.recv(64, socket.MSG_DONTWAIT) == TAKEN
        except OSError:
            return False

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handles.pidfd, signal.SIGKILL)


def _ended(reason: str, seconds: float) -> RunResult:
    return RunResult(seconds, verdict=REASONS[reason].verdict, reason=reason)
