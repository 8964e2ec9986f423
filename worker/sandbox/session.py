"""One READY sandbox of any back end, from GO to its death: the host's clock, the cutoff, the kill, and what is left.

The clock starts with GO and stops when the kernel reports the death of the sandbox's first process, which it does only
after every other process inside is dead. Nothing inside can move it.
"""

import contextlib
import json
import math
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from app.reasons import REASONS
from worker.sandbox.base import Job, Limits, RunResult, SandboxFault
from worker.sandbox.claims import Claim, claim_cores
from worker.sandbox.haste import hastened
from worker.sandbox.log_pipe import LogPipe
from worker.sandbox.memfd import output_slot, read_output, sealed_input
from worker.sandbox.meter import Meter
from worker.sandbox.runner import EXIT_REASONS, TAKEN

TICK_SECONDS = 0.02
_STOP_TICKS = 5
_CORES_SECONDS = 0.05
_CPU_SLACK_SECONDS = 0.25  # the kernel counts in ticks of its own, process by process
_DEATH_SECONDS = 30.0
_TEARDOWN_BYTES = 128 << 20  # a second: many small things take the kernel long to give back


class Body(Protocol):
    """What a back end holds of a READY sandbox."""

    @property
    def pid(self) -> int:
        """The sandbox's first process, by the host's number."""

    @property
    def pidfd(self) -> int:
        """A descriptor of it; closed by the session."""

    @property
    def control(self) -> socket.socket:
        """Our end of the line to the runner; closed by the session."""

    def exit_code(self) -> int:
        """Return the dead first process's exit code, 128 + n for a signal. Raises SandboxFault if we failed."""

    def discard(self) -> None:
        """Clean up after a dead sandbox; called once."""


class WatchedSandbox:
    """A READY sandbox; see worker.sandbox.base.Sandbox."""

    def __init__(self, body: Body, meter: Meter, limits: Limits) -> None:
        self.body = body
        self._meter = meter
        self._limits = limits
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
        try:
            return self._run(job, should_stop)
        except OSError as error:
            raise SandboxFault(f"the sandbox could not be watched: {error}") from error
        finally:
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
        self._dead_within(_DEATH_SECONDS)
        self.body.control.close()
        try:
            self.body.discard()
        finally:
            os.close(self.body.pidfd)

    def _run(self, job: Job, should_stop: Callable[[], bool]) -> RunResult:
        with contextlib.ExitStack() as held:
            bundle, output = sealed_input(job.bundle), output_slot(self._limits.output_bytes)
            held.callback(os.close, bundle)
            held.callback(os.close, output)
            log = held.enter_context(LogPipe(job.log_bytes, job.printed)) if job.log_bytes else None
            cores = self._cores(should_stop)
            if cores is None:
                return _ended("cancelled_on_request", 0.0)
            for core in cores:
                held.enter_context(core)
            self._fix_cores(cores)
            self._meter.start()
            started = time.monotonic()
            self._go(job, [bundle, output], log)
            reason = self._watch(job, started, should_stop, log)
            result = self._result(reason, time.monotonic() - started, output)
            return result if log is None else replace(result, log=log.finish())

    def _cores(self, should_stop: Callable[[], bool]) -> list[Claim] | None:
        """Wait until there are cores for this run alone; None when it should stop. Raises SandboxFault."""
        while not (cores := claim_cores(self._limits.threads)):
            if should_stop():
                return None
            if self._dead_within(_CORES_SECONDS):
                break
        if self._dead_within(0):
            for core in cores:
                core.release()
            raise SandboxFault("the sandbox died before its run")
        return cores

    def _fix_cores(self, cores: list[Claim]) -> None:
        """Fix the cores of all that this run will start; what runs inside may not choose others."""
        # root in a container without CAP_SYS_NICE may not: then the kernel shares cores out, and the sum is watched
        with contextlib.suppress(PermissionError):
            for thread in os.listdir(f"/proc/{self.body.pid}/task"):  # noqa: PTH208 - names, not paths
                os.sched_setaffinity(int(thread), {core.number for core in cores})

    def _go(self, job: Job, descriptors: list[int], log: LogPipe | None) -> None:
        # for each process, should this worker hang: far beyond what the watch allows
        most = 60 + math.ceil(2 * job.cutoff_seconds * self._limits.threads)
        go = json.dumps({"seed": job.seed, "cpu_seconds": most}).encode()
        try:
            socket.send_fds(self.body.control, [go], descriptors + ([log.write_fd] if log else []))
        except OSError as error:
            raise SandboxFault(f"the sandbox died before its run: {error}") from error
        if log is not None:
            log.given()

    def _watch(
        self, job: Job, started: float, should_stop: Callable[[], bool], log: LogPipe | None
    ) -> str | None:
        """Wait for the death of everything inside; return the reason if it was we who ended it."""
        deadline = started + job.cutoff_seconds
        cpu_seconds = job.cutoff_seconds * self._limits.threads + _CPU_SLACK_SECONDS
        reason: str | None = None
        tick = 0
        while not self._dead_within(min(TICK_SECONDS, deadline - time.monotonic())):
            tick += 1
            if log is not None:
                log.drain()
            used = self._meter.look()
            if time.monotonic() >= deadline or used.cpu_seconds > cpu_seconds:
                reason = "over_cutoff"
            elif used.over_memory:
                reason = "memory_limit"
            elif tick % _STOP_TICKS == 0 and should_stop():
                reason = "cancelled_on_request"
            if reason is not None:
                self._kill()
                with hastened(self.body.pid):
                    if not self._dead_within(_DEATH_SECONDS + self._limits.memory_bytes / _TEARDOWN_BYTES):
                        raise SandboxFault("the sandbox outlived its kill")
                return reason
        return "over_cutoff" if time.monotonic() >= deadline else None

    def _dead_within(self, seconds: float) -> bool:
        """Wait for the first process's death; the kernel reports it only after every other process inside is dead."""
        poll = select.poll()
        poll.register(self.body.pidfd, select.POLLIN)
        return bool(poll.poll(max(0, math.ceil(seconds * 1000))))

    def _result(self, reason: str | None, seconds: float, output: int) -> RunResult:
        if self._interrupted:
            raise SandboxFault("the sandbox was closed during its run")
        if reason == "cancelled_on_request":
            return _ended(reason, seconds)
        if not self._was_taken():
            raise SandboxFault("the sandbox died before it took its job")
        reason = reason or self._reason_of_death()
        if reason is not None:
            return _ended(reason, seconds)
        payload = read_output(output, self._limits.output_bytes)
        if payload is None:
            return _ended("malformed_output", seconds)
        return RunResult(seconds, payload) if payload else _ended("no_weights", seconds)

    def _reason_of_death(self) -> str | None:
        code = self.body.exit_code()
        if (
            self._meter.killed_for_memory()
        ):  # if only of a child: what came after that is not what was written
            return "memory_limit"
        return None if code == 0 else EXIT_REASONS.get(code, "died")

    def _was_taken(self) -> bool:
        """Tell whether the runner had taken the job: said before any byte of the participant's, so never forged."""
        try:
            return self.body.control.recv(64, socket.MSG_DONTWAIT) == TAKEN
        except OSError:
            return False

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.body.pidfd, signal.SIGKILL)


def _ended(reason: str, seconds: float) -> RunResult:
    return RunResult(seconds, verdict=REASONS[reason].verdict, reason=reason)
