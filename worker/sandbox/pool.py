"""Warm sandboxes ahead: the next ones get ready on the cores that no run is using."""

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

from worker.sandbox.base import Backend, Job, RunResult, Sandbox, SandboxFault, SandboxSpec


class Pool:
    """Keeps spares for the spec asked for last; each serves one run. A sandbox taken is the taker's to run and close.

    Starting one costs seconds of a core, so as many start at once as there are cores; but while a run's clock ticks,
    they leave it the cores that its threads need: no participant pays for another's start.
    """

    def __init__(self, backend: Backend, cores: int | None = None) -> None:
        self._backend = backend
        self._cores = cores or len(os.sched_getaffinity(0))
        self._fillers = ThreadPoolExecutor(self._cores, thread_name_prefix="sandbox-filler")
        self._lock = threading.Lock()
        self._spares: list[tuple[SandboxSpec, Future[Sandbox]]] = []
        self._starting = 0
        self._running = 0  # threads of the runs whose clocks tick
        self._closed = False

    @property
    def identity(self) -> str:
        """See worker.sandbox.base.Backend."""
        return self._backend.identity

    def take(self, spec: SandboxSpec) -> Sandbox:
        """Return a READY sandbox, warm if the spec is the last one's, and start on the next. Raises SandboxFault."""
        with self._lock:
            if self._closed:
                raise SandboxFault("the pool of sandboxes is closed")
            stale = [spare for spare in self._spares if spare[0] != spec or _failed(spare[1])]
            self._spares = [spare for spare in self._spares if spare not in stale]
            self._starting -= _discard(stale)
            mine = self._claim(spec)
            ready = mine.done()
            self._running += spec.limits.threads if ready else 0
            self._fill(spec)
        try:
            sandbox = _result(mine)
        except BaseException:
            self._end(spec, threads=spec.limits.threads if ready else 0, refill=False)
            raise
        with self._lock:
            self._running += 0 if ready else spec.limits.threads
        return _Taken(sandbox, lambda: self._end(spec, threads=spec.limits.threads))

    def close(self) -> None:
        """Kill the spares and end the fillers; safe to call more than once. Waits for starts in progress."""
        with self._lock:
            self._closed = True
            spares, self._spares = self._spares, []
            self._starting -= _discard(spares)
        self._fillers.shutdown(wait=True, cancel_futures=True)

    def _claim(self, spec: SandboxSpec) -> Future[Sandbox]:
        """Take a spare out, a ready one if there is one; start one if there is none."""
        chosen = next((spare for spare in self._spares if spare[1].done()), None) or next(
            iter(self._spares), None
        )
        if chosen is None:
            return self._start(spec)
        self._spares.remove(chosen)
        return chosen[1]

    def _fill(self, spec: SandboxSpec) -> None:
        while len(self._spares) < self._cores and self._starting + self._running < self._cores:
            self._spares.append((spec, self._start(spec)))

    def _start(self, spec: SandboxSpec) -> Future[Sandbox]:
        self._starting += 1
        return self._fillers.submit(self._started, spec)

    def _started(self, spec: SandboxSpec) -> Sandbox:
        try:
            return self._backend.start(spec)
        finally:
            with self._lock:
                self._starting -= 1

    def _end(self, spec: SandboxSpec, *, threads: int, refill: bool = True) -> None:
        """Count a stopped clock's cores as free for starts."""
        with self._lock:
            self._running -= threads
            wanted = not self._closed and all(spare[0] == spec for spare in self._spares)
            if refill and wanted:
                self._fill(spec)


class _Taken:
    """A sandbox that tells its pool when its clock has stopped."""

    def __init__(self, sandbox: Sandbox, ended: Callable[[], None]) -> None:
        self._sandbox = sandbox
        self._ended = ended
        self._lock = threading.Lock()
        self._told = False

    def run(self, job: Job, should_stop: Callable[[], bool]) -> RunResult:
        """See worker.sandbox.base.Sandbox."""
        try:
            return self._sandbox.run(job, should_stop)
        finally:
            self._tell()

    def close(self) -> None:
        """See worker.sandbox.base.Sandbox."""
        self._sandbox.close()
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            told, self._told = self._told, True
        if not told:
            self._ended()


def _result(started: Future[Sandbox]) -> Sandbox:
    try:
        return started.result()
    except CancelledError as error:
        raise SandboxFault("the pool of sandboxes was closed") from error
    except SandboxFault:
        raise
    except Exception as error:
        raise SandboxFault(f"a sandbox could not be started: {error}") from error


def _failed(started: Future[Sandbox]) -> bool:
    return started.done() and not started.cancelled() and started.exception() is not None


def _discard(spares: list[tuple[SandboxSpec, Future[Sandbox]]]) -> int:
    """Close spares, now or as soon as they are ready; return how many had not begun to start."""
    begun = [started for _, started in spares if not started.cancel()]
    for started in begun:
        started.add_done_callback(_close)
    return len(spares) - len(begun)


def _close(started: Future[Sandbox]) -> None:
    with contextlib.suppress(Exception):  # it never started: nothing to close
        started.result().close()
