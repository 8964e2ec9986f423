"""Many models on all cores: one single-threaded process per core, each fed one task at a time."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from app.competitions import InvalidCompetition
from app.errors import LetheError
from worker.trainer import Task

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
"""Set before torch is imported, which is why training has processes of its own."""


class PreparationFailed(LetheError):  # noqa: N818 - named like its siblings in app.errors
    """Training stopped for a reason that is not the competition's."""

    code = "preparation_failed"
    title = "The preparation stopped"


@dataclass(frozen=True)
class _Lost:
    """A training process ended in mid-task."""

    log: Path
    exit_code: int


_Answer = dict[str, str] | _Lost


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


class Trainers:
    """Training processes that start with the first task and do not outlive the `with` block, however it ends."""

    def __init__(self, folder: Path, results: Path, processes: int) -> None:
        self._folder = folder
        self._results = results
        self._processes = processes
        self._waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._started: list[tuple[subprocess.Popen[str], threading.Thread]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process, _thread in self._started:
            process.kill()
            self._waiting.put(None)
        for process, thread in self._started:
            thread.join()
            process.wait()

    def train(self, tasks: Sequence[Task], on_done: Callable[[], None]) -> None:
        """Train the tasks, calling `on_done` in this thread after each; finished models stay whatever happens.

        Raises InvalidCompetition when a recipe fails and PreparationFailed when a process dies.
        """
        for task in tasks:
            self._waiting.put(task)
        while len(self._started) < min(self._processes, len(tasks)):
            self._start(self._results / f"process-{len(self._started)}.log")
        for _ in tasks:
            _accept(self._answers.get())
            on_done()

    def _start(self, log: Path) -> None:
        """Start a process in a group of its own: Ctrl-C reaches the parent alone, which then ends it."""
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "worker.trainer",
                    str(self._folder.resolve()),
                    str(self._results.resolve()),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, **ONE_THREAD},
                process_group=0,
            )
        thread = threading.Thread(target=self._feed, args=(process, log), daemon=True)
        self._started.append((process, thread))
        thread.start()

    def _feed(self, process: "subprocess.Popen[str]", log: Path) -> None:
        """Hand one process a task after the other until told to stop or the process is gone."""
        assert process.stdin is not None
        assert process.stdout is not None
        while (task := self._waiting.get()) is not None:
            line = _ask(process.stdin, process.stdout, task)
            if not line:
                self._answers.put(_Lost(log, process.wait()))
                break
            self._answers.put(json.loads(line))
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def _ask(questions: IO[str], answers: IO[str], task: Task) -> str:
    """Return the process's answer, or nothing if it is gone."""
    try:
        questions.write(task.to_line() + "\n")
        questions.flush()
    except BrokenPipeError:
        return ""
    return answers.readline()


def _accept(answer: _Answer) -> None:
    if isinstance(answer, _Lost):
        lines = answer.log.read_text(errors="replace").strip().splitlines()
        last = f": {lines[-1]}" if lines else ""
        raise PreparationFailed(
            f"a training process ended with exit code {answer.exit_code}{last} (its log: {answer.log})",
            advice="Finished models are kept; start the preparation again to go on.",
        )
    if "error" in answer:
        raise InvalidCompetition(answer["error"])
