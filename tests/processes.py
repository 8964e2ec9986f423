"""Servers and workers as processes of their own: Redis, and workers whose sandboxes only sleep."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


TIED = ("setpriv", "--pdeathsig", "TERM")
"""Before a command: it ends with whoever started it, however that ends."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds=180.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    return found


class Redis:
    """A Redis of our own, in memory alone, on a port of its own that it keeps when it is started again."""

    def __init__(self):
        if shutil.which("redis-server") is None:
            pytest.fail("the tests need Redis: apt-get install -y redis-server", pytrace=False)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = tempfile.mkdtemp(prefix="lethe-redis-")

    def start(self):
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self.folder}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self.process = subprocess.Popen([*TIED, "redis-server", *words], stdout=subprocess.DEVNULL)
        wait_until(self._answers)

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def sleeping(name, seconds, output):
    """Return the command of a worker whose every run sleeps and then leaves the file `output`."""
    return [sys.executable, "-m", "tests.sleeping", name, str(seconds), str(output)]


def real(name):
    """Return the command of a worker as an operator starts it."""
    return [sys.executable, "-m", "cli.main", "worker", "--name", name]


@contextmanager
def running(command, settings, log):
    """Run a process over these settings (LETHE_*) until the block ends, then kill it if it is still there."""
    environment = {**os.environ, **settings, "OMP_NUM_THREADS": "1"}
    with Path(log).open("ab") as said:
        process = subprocess.Popen([*TIED, *command], env=environment, cwd=ROOT, stderr=said)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)
