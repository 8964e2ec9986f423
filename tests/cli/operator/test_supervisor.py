import os
import signal
import subprocess
import sys
import threading
import time

import click
import pytest

from cli.operator.supervisor import Supervisor, run

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_log(supervisor, name):
    deadline = time.monotonic() + 20
    while not (supervisor.logs / f"{name}.log").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def watch_until_it_speaks(supervisor):
    with pytest.raises(ZeroDivisionError):
        supervisor.watch()


def test_leaving_the_block_stops_every_process_also_a_stubborn_one(tmp_path, monkeypatch):
    monkeypatch.setattr("cli.operator.supervisor.STOP_SECONDS", 0.5)
    with Supervisor({"calm": SLEEP, "stubborn": STUBBORN}, tmp_path / "log") as supervisor:
        for name in ("calm", "stubborn"):
            wait_for_log(supervisor, name)
        pids = [child.pid for child in supervisor._children.values()]
        assert all(alive(pid) for pid in pids)
    assert not any(alive(pid) for pid in pids)


def test_a_process_that_ends_early_is_named_with_its_last_words(tmp_path):
    broken = [sys.executable, "-c", "print('first', flush=True); raise SystemExit('no database here')"]
    with Supervisor({"web": broken}, tmp_path / "log") as supervisor:
        supervisor._children["web"].wait(20)
        with pytest.raises(click.ClickException, match="the web process ended: no database here"):
            supervisor.check()
        with pytest.raises(click.ClickException, match="the web process ended"):
            supervisor.watch()


def test_a_process_that_dies_later_is_started_again(tmp_path, monkeypatch):
    monkeypatch.setattr("cli.operator.supervisor.STOP_SECONDS", 0.1)
    with Supervisor({"web": SLEEP}, tmp_path / "log") as supervisor:
        wait_for_log(supervisor, "web")
        first = supervisor._children["web"].pid
        time.sleep(0.2)
        os.kill(first, signal.SIGKILL)
        watching = threading.Thread(target=watch_until_it_speaks, args=(supervisor,))
        monkeypatch.setattr(
            "click.echo", lambda *_, **__: 1 / 0 if supervisor._children["web"].pid != first else None
        )
        watching.start()
        deadline = time.monotonic() + 20
        while supervisor._children["web"].pid == first:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        wait_for_log(supervisor, "web")
        os.kill(
            supervisor._children["web"].pid, signal.SIGKILL
        )  # makes the watch say something, which ends it
        watching.join(20)
        assert not watching.is_alive()


def test_children_die_with_a_supervisor_that_is_killed(tmp_path):
    code = (
        "import sys, pathlib; from cli.operator.supervisor import Supervisor\n"
        f"with Supervisor({{'web': {SLEEP!r}}}, pathlib.Path({str(tmp_path)!r})) as s:\n"
        "    print(s._children['web'].pid, flush=True); s.watch()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        child = int(supervisor.stdout.readline())
        supervisor.kill()
    deadline = time.monotonic() + 20
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def test_an_interrupt_reaches_the_command_in_the_foreground_and_waits_for_it():
    code = (
        "import signal, subprocess, sys; from cli.operator.supervisor import run\n"
        "wait = subprocess.Popen.wait\n"
        "subprocess.Popen.wait = lambda *words: (print('waiting', flush=True), wait(*words))[1]\n"
        "signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # it is ignored where tests run in the background
        'inner = \'import time\\ntry:\\n    print("up", flush=True); time.sleep(600)\\n'
        'except KeyboardInterrupt:\\n    time.sleep(0.5); print("tidy", flush=True)\'\n'
        "run([sys.executable, '-c', inner])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as outer:
        assert {outer.stdout.readline() for _ in range(2)} == {"up\n", "waiting\n"}
        outer.send_signal(signal.SIGTERM)
        assert "tidy\n" in outer.stdout


def test_a_command_in_the_foreground_gives_its_exit_code():
    assert run([sys.executable, "-c", "raise SystemExit(7)"]) == 7
