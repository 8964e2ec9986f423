"""Many models on all cores: one single-threaded process per core, each fed one task at a time."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

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


def train_all(
    folder: Path, tasks: Sequence[Task], results: Path, processes: int, on_done: Callable[[], None]
) -> None:
    """Train the tasks that have no result yet, calling `on_done` in this thread after each.

    Raises InvalidCompetition when a recipe fails and PreparationFailed when a process dies. Whatever ends
    this early, finished models stay, and no process outlives the call.
    """
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
    with contextlib.ExitStack() as stack:
        for number in range(min(processes, len(tasks))):
            log = results / f"process-{number}.log"
            process = stack.enter_context(_process(folder, results, log))
            threading.Thread(target=_feed, args=(process, log, waiting, answers), daemon=True).start()
        for _ in tasks:
            _accept(answers.get())
            on_done()


@contextlib.contextmanager
def _process(folder: Path, results: Path, log: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a training process in a group of its own: Ctrl-C reaches the parent alone, which then ends it."""
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker.trainer", str(folder.resolve()), str(results.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **ONE_THREAD},
            process_group=0,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _feed(
    process: "subprocess.Popen[str]",
    log: Path,
    waiting: "queue.SimpleQueue[Task]",
    answers: "queue.SimpleQueue[_Answer]",
) -> None:
    """Hand one process a task after the other until none is left or the process is gone; closes its pipes."""
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout, contextlib.suppress(queue.Empty):
        while True:
            line = _ask(process.stdin, process.stdout, waiting.get_nowait())
            if not line:
                answers.put(_Lost(log, process.wait()))
                break
            answers.put(json.loads(line))
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


def _ask(questions: TextIO, answers: TextIO, task: Task) -> str:
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
