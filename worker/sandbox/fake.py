"""A back end that runs nothing: each run goes as a function of the job says. For tests of everything around it."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from app.reasons import REASONS
from worker import calibration_bundle
from worker.sandbox.base import Job, Log, RunResult, SandboxFault, SandboxSpec

Behaviour = Callable[[Job], RunResult]
_TICK_SECONDS = 0.05


def echo(job: Job) -> RunResult:
    """Leave the bundle itself as the output, at once."""
    return RunResult(0.0, job.bundle)


def failing(reason: str, seconds: float = 0.0) -> Behaviour:
    """Make a behaviour that ends every run with this reason code of app.reasons."""
    return lambda _job: RunResult(seconds, verdict=REASONS[reason].verdict, reason=reason)


class FakeSandbox:
    """Plays one run: it lasts as long as the behaviour's result says, and ends at the cutoff all the same.

    The result's log comes out if the job asks for one, and is printed as the run begins.
    """

    def __init__(self, behaviour: Behaviour, limit_bytes: int, closed: Callable[[], None]) -> None:
        self._behaviour = behaviour
        self._limit_bytes = limit_bytes
        self._on_close = closed
        self._used = False
        self._closed = threading.Event()

    def run(self, job: Job, should_stop: Callable[[], bool]) -> RunResult:
        """Play the behaviour in real time. What it raises is raised: let it raise SandboxFault to play our failures."""
        if self._used or self._closed.is_set():
            raise SandboxFault("a sandbox serves one run only")
        self._used = True
        try:
            return self._play(job, should_stop)
        finally:
            self.close()

    def close(self) -> None:
        """End the run, if one goes on, with a SandboxFault."""
        if not self._closed.is_set():
            self._closed.set()
            self._on_close()

    def _play(self, job: Job, should_stop: Callable[[], bool]) -> RunResult:
        planned = self._behaviour(job)
        log = (planned.log or Log()) if job.log_bytes else None
        if log is not None and log.text:
            job.printed(log)
        return replace(self._ending(job, planned, should_stop), log=log)

    def _ending(self, job: Job, planned: RunResult, should_stop: Callable[[], bool]) -> RunResult:
        started = time.monotonic()
        end = started + min(planned.seconds, job.cutoff_seconds)
        while (left := end - time.monotonic()) > 0:
            if self._closed.wait(min(_TICK_SECONDS, left)):
                raise SandboxFault("the sandbox was closed during its run")
            if should_stop():
                return _ended("cancelled_on_request", time.monotonic() - started)
        if planned.seconds >= job.cutoff_seconds:
            return _ended("over_cutoff", time.monotonic() - started)
        return self._checked(planned)

    def _checked(self, planned: RunResult) -> RunResult:
        if planned.verdict is not None:
            return replace(planned, output=b"")
        if len(planned.output) > self._limit_bytes:
            return _ended("malformed_output", planned.seconds)
        return planned if planned.output else _ended("no_weights", planned.seconds)


def retrained(_job: Job) -> RunResult:
    """Retrain, by which devices are calibrated, in a twentieth of a second."""
    return RunResult(0.05, b"retrained")


class Fake:
    """The fake back end. `alive` counts sandboxes not yet closed, `started` all of them.

    Retraining, by which devices are calibrated, goes as `retrains` says, and everybody's bundles as `behaviour` does.
    """

    name = identity = "fake"

    def __init__(self, behaviour: Behaviour = echo, retrains: Behaviour = retrained) -> None:
        self._behaviour = behaviour
        self._retrains = retrains
        self._lock = threading.Lock()
        self.alive = 0
        self.started = 0

    def probe(self) -> None:
        """Nothing can be missing."""

    def start(self, spec: SandboxSpec) -> FakeSandbox:
        """Start a sandbox; it is READY at once."""
        with self._lock:
            self.alive += 1
            self.started += 1
        return FakeSandbox(self._play, spec.limits.output_bytes, self._one_less)

    def _play(self, job: Job) -> RunResult:
        return (self._retrains if job.bundle == calibration_bundle.bundle() else self._behaviour)(job)

    def close(self) -> None:
        """Nothing is left of a sandbox that is dead."""

    def _one_less(self) -> None:
        with self._lock:
            self.alive -= 1


def _ended(reason: str, seconds: float) -> RunResult:
    return RunResult(seconds, verdict=REASONS[reason].verdict, reason=reason)
