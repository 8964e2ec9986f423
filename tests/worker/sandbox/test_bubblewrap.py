"""What a participant's code finds inside, and what is left of it outside."""

import contextlib
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.worker.sandbox.tools import bundle, facts
from worker.sandbox import probe
from worker.sandbox.base import Job, SandboxFault, SandboxUnavailable
from worker.sandbox.bubblewrap import Bubblewrap

ROOT = Path(__file__).parents[3]

LOOK_AROUND = """
import inside, os, resource, socket, subprocess, sys
from pathlib import Path

def refused(attempt):
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return None

def fork_bomb():
    children = 0
    try:
        while children < 500:
            if os.fork() == 0:
                import time
                time.sleep(60)
            children += 1
    except OSError:
        return children

status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
writable = [name for name in ("/", "/usr", "/etc", "/material", "/site", "/dev", sys.base_prefix) if os.access(name, os.W_OK)]
seen = {
    "environment": [item.split("=")[0] for item in Path("/proc/self/environ").read_text().split("\\0") if item],
    "os.environ": dict(os.environ),
    "repository": os.path.exists("REPOSITORY/pyproject.toml"),
    "material": sorted(os.listdir("/material")),
    "hidden": [str(p) for top in ("/tmp", "/material", "/root", "/home", "/etc") for p in Path(top).rglob("hidden*") if Path(top).exists()],
    "ours": [name for name in ("app", "worker", "grader", "cli") if subprocess.run(["find", "/site", "-maxdepth", "1", "-name", name], capture_output=True).stdout],
    "writable": writable,
    "write": refused(lambda: open("/usr/written", "w")),
    "core_pattern": refused(lambda: open("/proc/sys/kernel/core_pattern", "w")),
    "network": refused(lambda: socket.create_connection(("192.0.2.1", 80), timeout=1)),
    "interfaces": [name for _, name in socket.if_nameindex()],
    "capabilities": int(status["CapEff"], 16) + int(status["CapBnd"], 16),
    "mount": subprocess.run(["unshare", "--user", "--mount", "true"]).returncode,
    "descriptors": sorted(os.readlink(f"/proc/self/fd/{n}").split(" ")[0] for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")),
    "processes": sorted(name for name in os.listdir("/proc") if name.isdigit()),
    "home": str(Path.home()),
}
try:
    resource.setrlimit(resource.RLIMIT_NPROC, (100000, 100000))
    seen["raised limit"] = True
except ValueError:
    seen["raised limit"] = False
seen["forks"] = fork_bomb()
inside.report(seen)
"""


@pytest.fixture(scope="module")
def seen(take):
    return facts(
        take().run(Job(bundle(LOOK_AROUND.replace("REPOSITORY", str(ROOT))), 1, 30.0), lambda: False)
    )


def test_nothing_of_the_host_can_be_written(seen):
    assert seen["writable"] == []
    assert seen["write"] in ("OSError", "PermissionError")
    assert seen["core_pattern"] in ("OSError", "PermissionError")


def test_there_is_no_network(seen):
    assert seen["network"] == "PermissionError"
    assert seen["interfaces"] == ["lo"]


def test_the_environment_is_empty(seen):
    assert seen["os.environ"] == {}
    assert set(seen["environment"]) <= {"PWD"}


def test_only_the_published_material_and_no_code_of_ours_is_there(seen):
    assert seen["material"] == ["material.json", "material.npz", "model.py", "original.npz"]
    assert seen["hidden"] == []
    assert seen["ours"] == []
    assert not seen["repository"]


def test_there_are_no_privileges_to_be_had(seen):
    assert seen["capabilities"] == 0
    assert seen["mount"] != 0
    assert not seen["raised limit"]


def test_no_descriptor_but_the_output_slot_is_open(seen):
    assert {name for name in seen["descriptors"] if not name.startswith("/proc/")} == {
        "/dev/null",
        "/memfd:output",
    }
    assert "1" in seen["processes"]


def test_a_fork_bomb_meets_the_limit(seen):
    assert 0 < seen["forks"] < 64


DAEMON = """
import inside, os, struct, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            os.pwrite(inside.slot(), b"late", 8)
    os._exit(0)
while os.pread(inside.slot(), 4, 8) != b"late":
    time.sleep(0.01)
os.pwrite(inside.slot(), struct.pack("<Q", 8), 0)
os._exit(0)
"""


def test_a_daemon_is_dead_when_the_run_is_over(bubblewrap, spec):
    sandbox = bubblewrap.start(spec)
    pid = sandbox.body.pid
    namespace = Path(f"/proc/{pid}/ns/pid").readlink()
    assert namespace_members(namespace) == [pid]
    result = sandbox.run(Job(bundle(DAEMON), 1, 20.0), lambda: False)
    assert result.reason is None
    assert result.output.startswith(b"late")
    assert namespace_members(namespace) == []


def namespace_members(namespace):
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "ns/pid").readlink() == namespace:
                found.append(int(process.name))
    return found


def test_memory_spread_over_processes_is_counted_together(run_either):
    source = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        hoard = bytearray(b"x") * (400 << 20)
        time.sleep(60)
time.sleep(60)
"""
    assert run_either(bundle(source)).reason == "memory_limit"


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
