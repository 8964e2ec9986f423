"""`lethe up`, which is what `make demo` runs, on the tiny competition."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def up(data_dir, *arguments):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "LETHE_DATA_DIR": str(data_dir),
        "LETHE_COMPETITIONS_DIR": str(ROOT / "tests/fixtures"),
    }
    command = [
        sys.executable,
        "-m",
        "cli.main",
        "up",
        "--competition",
        "tiny",
        "--port",
        str(port),
        *arguments,
    ]
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def processes_of(data_dir):
    """Pids of the processes that work on this data folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"LETHE_DATA_DIR={data_dir}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("up")


def test_a_check_sends_every_example_and_succeeds_when_each_ends_as_named(data_dir):
    with up(data_dir, "--check") as process:
        said = process.stdout.read()
    assert process.returncode == 0, said
    for line in ("ok  nudge", "ok  no_entry", "ok  too_slow", "retraining itself", "Every example"):
        assert line in said
    assert processes_of(data_dir) == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_second_start_goes_on_and_an_interrupt_stops_everything(data_dir, signum):
    """Runs after the check: what that prepared is there, so nothing is trained again."""
    with up(data_dir) as process:
        said = ""
        while "Ctrl-C stops everything" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        assert len(processes_of(data_dir)) >= 3  # the supervisor, web and worker
        process.send_signal(signum)
        said += process.stdout.read()
    assert process.returncode == 130
    assert "Stopped. Run it again" in said
    assert "password" in said
    assert processes_of(data_dir) == []


def test_a_taken_port_is_named_before_anything_starts(data_dir):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up(data_dir, "--port", str(port)) as process:
            said = process.stdout.read()
    assert process.returncode == 1
    assert f"port {port} is taken" in said
