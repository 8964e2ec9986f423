"""The Celery application of workers: `celery -A worker.celery inspect active` and Flower find it here.

A message is a doorbell. Its task lets the worker's one loop go on until there is nothing to claim; the loop also goes on
by itself every few seconds, for messages get lost and a broker may be away. Runs happen in the pool's only thread, so the
main thread stays free to answer inspect and to send events in the middle of a run.
"""

import signal
import socket
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from celery.apps.worker import Worker as CeleryWorker
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging
from celery.worker import state

from app.queue import celery_app, queue_name
from app.settings import Settings
from app.status import Lane

if TYPE_CHECKING:
    from worker.pipeline import Worker  # brings torch, which Celery's commands do without

app = celery_app(Settings())
app.conf.include = ["worker.tasks"]


class Rounds:
    """Who lets the loop go on: a message, or the worker's own beat; one at a time, and messages first."""

    def __init__(self, loop: "Worker") -> None:
        self._loop = loop
        self._turn = threading.Lock()
        self._message_waits = threading.Event()

    def by_message(self) -> None:
        """Work until nothing is left; a beat that is at it hands over after its run."""
        self._message_waits.set()
        with self._turn:
            self._message_waits.clear()
            self._loop.run_until_idle()

    def by_beat(self) -> None:
        """Work until nothing is left or a message has come; do nothing while one is at it."""
        if self._turn.acquire(blocking=False):
            try:
                self._loop.run_until_idle(self._message_waits.is_set)
            finally:
                self._turn.release()


class Draining(CeleryWorker):  # type: ignore[misc]
    """Celery's worker with our signals: the first drains, the second kills the run in hand."""

    def install_platform_tweaks(self, _worker: Any) -> None:
        """Set the signals' handlers; none that restarts the process, for sandboxes would not survive it."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._stop)
        if self.app.loop.ending.asked():  # told before these were in place
            state.should_stop = 0

    def stop(self, *arguments: Any, **words: Any) -> None:
        """Stop, whoever asks: the pool waits for its thread, which goes on until the loop has been told."""
        if not self.app.loop.ending.asked():
            self.app.loop.stop()
        super().stop(*arguments, **words)

    def _stop(self, *_: object) -> None:
        self.app.loop.stop()
        state.should_stop = 0


def run(loop: "Worker", name: str, settings: Settings) -> None:
    """Serve messages and beats until SIGTERM or SIGINT; returns when the run in hand has ended."""
    rounds = Rounds(loop)
    app.loop, app.rounds = loop, rounds
    setup_logging.connect(_leave_logging_alone)
    # of a worker that is root, as those are that start sandboxes: it would matter if messages carried code
    warnings.simplefilter("ignore", SecurityWarning)
    process = Draining(
        app=app,
        hostname=f"{name.replace('@', '-')}@{socket.gethostname()}",
        pool="threads",
        concurrency=1,
        queues=[queue_name(settings.device, lane) for lane in Lane],
        task_events=True,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    over = threading.Event()
    beat = threading.Thread(target=_beat, args=(rounds.by_beat, settings.reap_seconds, over), name="beat")
    beat.start()
    try:
        process.start()
    finally:
        if not loop.ending.asked():
            loop.stop()
        over.set()
        beat.join()
    if (
        process.exitcode
    ):  # Celery met an error that it does not get over: whoever watches processes is to start another
        raise SystemExit(process.exitcode)


def _beat(work: Callable[[], None], seconds: float, over: threading.Event) -> None:
    while not over.is_set():
        work()
        over.wait(seconds)


def _leave_logging_alone(**_: Any) -> None:
    """Tell Celery that logging is set up."""
