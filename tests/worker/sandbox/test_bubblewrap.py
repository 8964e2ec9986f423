"""What bubblewrap sandboxes count, what is left of them, and what a machine that cannot have them is told."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.worker.sandbox.tools import bundle
from worker.sandbox import probe
from worker.sandbox.base import Job, SandboxFault, SandboxUnavailable
from worker.sandbox.bubblewrap import Bubblewrap

ROOT = Path(__file__).parents[3]


def test_memory_spread_over_processes_is_counted_together(run_watched):
    source = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        hoard = bytearray(b"x") * (400 << 20)
        time.sleep(60)
time.sleep(60)
"""
    assert run_watched(bundle(source)).reason == "memory_limit"


def test_pages_shared_after_a_fork_count_once(run_either):
    source = """
import os, time
hoard = bytearray(b"x") * (300 << 20)
for _ in range(6):
    if os.fork() == 0:
        time.sleep(60)
time.sleep(1)
def unlearning(net): pass
"""
    assert run_either(bundle(source)).reason is None


HOST = """
import json, os, sys, threading, time
from pathlib import Path
from tests.worker.sandbox.tools import UIDS, bundle, spec_of
from worker.sandbox.base import Job, SandboxFault
from worker.sandbox.bubblewrap import Bubblewrap

def held():
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [len(os.listdir("/proc/self/fd")), threading.active_count(), len(children)]

backend, spec = Bubblewrap(UIDS), spec_of(Path(sys.argv[1]))
backend.probe()  # the spawner thread is there from now on
counts = [held()]
backend.start(spec).close()
counts.append(held())
backend.start(spec).run(Job(bundle("def unlearning(net): pass"), 1, 20.0), lambda: False)
counts.append(held())
try:
    backend.start(spec_of(Path(sys.argv[1]).parent))
except SandboxFault as fault:
    counts.append(held())
    said = str(fault)
last = backend.start(spec)
print(json.dumps({"counts": counts, "said": said, "pid": last.body.pid}), flush=True)
time.sleep(120)
"""


@pytest.fixture(scope="module")
def host(material):
    """Let a process of its own use sandboxes, then kill it while one of them waits; return what it told."""
    program = [sys.executable, "-c", HOST, str(material)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, cwd=ROOT) as process:
        told = json.loads(process.stdout.readline())
        told["alive before"] = is_alive(told["pid"])
        process.kill()
    return told


def test_no_descriptor_thread_or_process_is_left_after_close_run_and_a_failed_start(host):
    assert len(host["counts"]) == 4
    assert all(held == host["counts"][0] for held in host["counts"])


def test_a_start_that_fails_says_why(host):
    assert "material.json" in host["said"]


def test_a_sandbox_dies_with_the_process_that_started_it(host):
    assert host["alive before"]
    deadline = time.monotonic() + 20
    while is_alive(host["pid"]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(host["pid"])


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_sandbox_that_died_while_waiting_is_our_fault(bubblewrap, spec):
    sandbox = bubblewrap.start(spec)
    sandbox._kill()
    with pytest.raises(SandboxFault, match="died before"):
        sandbox.run(Job(b"", 1, 20.0), lambda: False)


def test_a_machine_without_bubblewrap_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="apt-get install bubblewrap util-linux"):
        Bubblewrap().probe()


def test_a_probe_that_fails_is_named(monkeypatch):
    monkeypatch.setattr(probe, "_SCRIPT", 'print(\'{"network closed": false, "read-only root": true}\')')
    with pytest.raises(SandboxUnavailable, match="failed probes: network closed"):
        Bubblewrap().probe()


def test_a_device_it_cannot_confine_is_refused(bubblewrap, spec):
    with pytest.raises(SandboxUnavailable, match="CPU only"):
        bubblewrap.start(replace(spec, device="cuda:0"))
