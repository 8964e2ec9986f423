"""Keeps a few processes going on one machine and stops them in order."""

import contextlib
import ctypes
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

import click

STOP_SECONDS = 10.0
PR_SET_PDEATHSIG = 1


class Supervisor:
    """Starts named commands, each writing to a log of its own, and stops them when the block is left."""

    def __init__(self, commands: Mapping[str, Sequence[str]], logs: Path) -> None:
        self.logs = logs
        self._commands = commands
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            for name in self._commands:
                self._start(name)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def check(self) -> None:
        """Raise ClickException with its last words if a process has ended."""
        for name, child in self._children.items():
            if child.poll() is not None:
                raise self._gone(name)

    def watch(self) -> None:
        """Start again what ends, for ever; what ends within ten seconds of its start is given up."""
        while True:
            time.sleep(0.5)
            for name, child in self._children.items():
                if child.poll() is None:
                    continue
                if time.monotonic() - self._started[name] < STOP_SECONDS:
                    raise self._gone(name)
                click.echo(f"The {name} process ended ({child.returncode}); starting it again.", err=True)
                self._start(name)

    def _start(self, name: str) -> None:
        with self._log(name).open("ab") as log:
            self._children[name] = start(self._commands[name], log)
        self._started[name] = time.monotonic()

    def _stop(self) -> None:
        for child in self._children.values():
            child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._children.values():
            end(child, deadline - time.monotonic())

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _gone(self, name: str) -> click.ClickException:
        last = self._log(name).read_text(errors="replace").strip().splitlines()[-1:]
        return click.ClickException(
            f"the {name} process ended: {''.join(last) or 'it said nothing'} (log: {self._log(name)})"
        )


def start(command: Sequence[str], output: IO[bytes] | None = None) -> "subprocess.Popen[bytes]":
    """Start a process in a session of its own: Ctrl-C reaches us alone, and we stop our children in order."""
    return subprocess.Popen(
        command,
        start_new_session=True,
        preexec_fn=_die_with_us,  # noqa: PLW1509 - there are no threads here
        stdout=output,
        stderr=output,
    )


def run(command: Sequence[str]) -> int:
    """Run a process to its end and return its exit code; when we are interrupted, interrupt it and wait for it."""
    child = start(command)
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        with contextlib.suppress(KeyboardInterrupt):  # a second Ctrl-C changes nothing
            end(child, STOP_SECONDS)
        raise


def end(child: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait for a process that was told to stop; kill it when its time is over."""
    try:
        child.wait(max(0.0, seconds))
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _die_with_us() -> None:
    """Make the kernel stop this child when its parent dies, however it dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
