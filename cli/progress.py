"""Progress on stderr: bars in a terminal, a few plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from cli.client.api import JsonObject
from cli.text import clean, plural, say

LINES = 8
"""How many lines of progress a count gets where no bar can be drawn."""


class Watcher(Protocol):
    """Somebody who wants to know how a submission is getting on."""

    def seen(self, submission: JsonObject) -> None:
        """Take note of a submission's present state."""

    def trouble(self, message: str) -> None:
        """Take note of a passing trouble."""


@contextmanager
def upload_bar(n_bytes: int) -> Iterator[Callable[[int], None]]:
    """Show bytes sent of all bytes; off a terminal, nothing."""
    with _bytes_bar("Uploading", n_bytes) as progress:
        yield progress


@contextmanager
def download_bar(n_bytes: int) -> Iterator[Callable[[int], None]]:
    """Show bytes received of all bytes; off a terminal, nothing."""
    with _bytes_bar("Downloading", n_bytes) as progress:
        yield progress


@contextmanager
def _bytes_bar(words: str, n_bytes: int) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    if not _draws(console):
        yield lambda _done: None
        return
    columns = (TextColumn(words), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(words, total=n_bytes)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def counting(words: str) -> Iterator[Callable[[int, int], None]]:
    """Show what is done of a total, in a bar; off a terminal, in a few lines."""
    console = Console(stderr=True)
    if not _draws(console):
        yield lambda done, total: _count(words, done, total)
        return
    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(words, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _count(words: str, done: int, total: int) -> None:
    if done and (done == total or done % max(1, total // LINES) == 0):
        say(f"{words}: {done} of {total}")


@contextmanager
def busy(words: str) -> Iterator[None]:
    """Show that something slow goes on; off a terminal, nothing."""
    console = Console(stderr=True)
    if not _draws(console):
        yield
        return
    columns = (SpinnerColumn(), TextColumn(words), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(words, total=None)
        yield


@contextmanager
def watching() -> Iterator[Watcher]:
    """Show how a submission is getting on."""
    console = Console(stderr=True)
    if not _draws(console):
        yield _Lines()
        return
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), console=console, transient=True
    ) as progress:
        yield _Bar(progress)


def _draws(console: Console) -> bool:
    # not console.is_terminal, which FORCE_COLOR makes true off a terminal
    return sys.stderr.isatty() and not console.is_dumb_terminal


def stage(submission: JsonObject) -> tuple[str, int, int]:
    """Say where a submission is, with its finished and its total runs."""
    runs = submission.get("runs") or {}
    total, finished = runs.get("total", 0), runs.get("succeeded", 0) + runs.get("failed", 0)
    status = submission["status"]
    if status == "queued":
        return f"Waiting for a worker{_before(submission)}", finished, total
    if status == "running" and (submission.get("smoke") or {}).get("status") in {"queued", "running"}:
        return "Smoke run", finished, total
    if status == "running":
        return f"Run {min(finished + 1, total)} of {total}", finished, total
    return ("Scoring" if status == "scoring" else "Done"), finished, total


def expected(submission: JsonObject) -> str:
    """Say when it may be done, or why that cannot be said; "" where the service says neither."""
    progress = submission.get("progress") or {}
    words = str(progress.get("estimate_words") or "")
    if not progress.get("estimate"):
        return words
    return f"{'score' if progress['estimate'].get('until') == 'score' else 'last run'} in {words}"


def remarks(submission: JsonObject) -> list[str]:
    """Return what went wrong on the service's side on the way."""
    return [str(one) for one in (submission.get("progress") or {}).get("remarks") or []]


def _before(submission: JsonObject) -> str:
    ahead = (submission.get("progress") or {}).get("ahead")
    return f", {plural(ahead, 'submission')} before yours" if ahead else ""


class _Bar:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("Asking", total=None)
        self._told: set[str] = set()

    def seen(self, submission: JsonObject) -> None:
        words, finished, total = stage(submission)
        when = expected(submission) if submission["status"] != "done" else ""
        words = f"{words} ({when})" if when else words
        self._progress.update(self._task, description=words, completed=finished, total=total or None)
        for remark in remarks(submission):
            if remark not in self._told:
                self._told.add(remark)
                self._progress.console.print(clean(remark), markup=False, highlight=False)

    def trouble(self, message: str) -> None:
        self._progress.update(self._task, description="Waiting for the service")
        self._progress.console.print(clean(message), markup=False, highlight=False)  # above the bar


class _Lines:
    """A line for each change, but no more than about ten for the runs however many there are."""

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None
        self._told: set[str] = set()

    def seen(self, submission: JsonObject) -> None:
        words, finished, total = stage(submission)
        waits = submission["status"] == "queued"
        mark = (words if waits else str(submission["status"]), finished * 10 // max(total, 1))
        if mark != self._last:
            self._last = mark
            when = expected(submission) if submission["status"] != "done" else ""
            say(f"{words} ({when})" if when else words)
        for remark in remarks(submission):
            if remark not in self._told:
                self._told.add(remark)
                say(remark)

    def trouble(self, message: str) -> None:
        say(message)
