"""One warm sandbox ahead: while a run goes on, the next one gets ready."""

import contextlib
import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

from worker.sandbox.base import Backend, Sandbox, SandboxFault, SandboxSpec


class Pool:
    """Keeps one READY spare for the spec asked for last. A sandbox taken is the taker's to run once and close."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._filler = ThreadPoolExecutor(1, thread_name_prefix="sandbox-filler")
        self._lock = threading.Lock()
        self._spare: tuple[SandboxSpec, Future[Sandbox]] | None = None
        self._closed = False

    def take(self, spec: SandboxSpec) -> Sandbox:
        """Return a READY sandbox, warm if the spec is the last one's, and start on the next. Raises SandboxFault."""
        with self._lock:
            if self._closed:
                raise SandboxFault("the pool of sandboxes is closed")
            spare, self._spare = self._spare, None
            if spare is None or spare[0] != spec:
                _discard(spare)
                spare = (spec, self._start(spec))
            self._spare = (spec, self._start(spec))  # in line behind the one that is ours
        try:
            return spare[1].result()
        except CancelledError as error:
            raise SandboxFault("the pool of sandboxes was closed") from error
        except SandboxFault:
            raise
        except Exception as error:
            raise SandboxFault(f"a sandbox could not be started: {error}") from error

    def close(self) -> None:
        """Kill the spare and end the filler; safe to call more than once. Waits for a start in progress."""
        with self._lock:
            self._closed = True
            spare, self._spare = self._spare, None
        _discard(spare)
        self._filler.shutdown(wait=True, cancel_futures=True)

    def _start(self, spec: SandboxSpec) -> Future[Sandbox]:
        return self._filler.submit(self._backend.start, spec)


def _discard(spare: tuple[SandboxSpec, Future[Sandbox]] | None) -> None:
    """Close the spare, now or as soon as it is ready."""
    if spare is not None and not spare[1].cancel():
        spare[1].add_done_callback(_close)


def _close(started: Future[Sandbox]) -> None:
    with contextlib.suppress(Exception):  # it never started: nothing to close
        started.result().close()
