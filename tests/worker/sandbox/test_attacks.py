"""Attacks on what is bubblewrap's own: its watchdog, its way to die, its user ids. The others are in tests/hostile."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.worker.sandbox.tools import UIDS, bundle
from worker.sandbox import claims, watchdog
from worker.sandbox.base import Job, SandboxFault
from worker.sandbox.cgroup import Cgroup

ROOT = Path(__file__).parents[3]


def never():
    return False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's own is mended")
def test_the_folder_of_locks_is_shut_again_when_a_daemon_has_made_it_for_all_to_read():
    claims.folder().chmod(0o755)
    assert stat.S_IMODE(claims.folder().stat().st_mode) == 0o700


@pytest.mark.parametrize("name", [rb"\xff) R 1\n", rb"\x0bRssAnon: x"])
def test_a_process_name_of_the_participants_breaks_and_hides_nothing(run_watched, name):
    source = f"""
import ctypes, os, time
ctypes.CDLL(None).prctl(15, b"{name.decode()}", 0, 0, 0)
os.fork(), os.fork()
hoard = bytearray(b"x") * (500 << 20)
time.sleep(60)
"""
    assert run_watched(bundle(source)).reason == "memory_limit"


def test_bwrap_ended_from_outside_is_our_fault(bubblewrap, spec):
    sandbox = bubblewrap.start(spec)
    process = sandbox.body.process
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)  # Ctrl-C here does not reach it
    job = Job(
        bundle("import time\nprint('begun')\ntime.sleep(60)"), 1, 60.0, 1000, lambda _: process.terminate()
    )
    with pytest.raises(SandboxFault, match="from outside by signal 15"):
        sandbox.run(job, never)


HOST = """
import sys
from pathlib import Path
from tests.worker.sandbox.tools import UIDS, bundle, spec_of
from worker.sandbox.base import Job
from worker.sandbox.bubblewrap import Bubblewrap

sandbox = Bubblewrap(UIDS).start(spec_of(Path(sys.argv[1])))
print(sandbox.body.pid, flush=True)
sandbox.run(Job(bundle('''
import ctypes, time
libc = ctypes.CDLL(None)
assert libc.prctl(1, 0, 0, 0, 0) == 0
libc.prctl(15, b"cleared", 0, 0, 0)
while True: time.sleep(60)
'''), 1, 600.0), lambda: False)
"""


def test_a_participant_who_clears_the_death_signal_still_dies_with_the_worker(material):
    with subprocess.Popen(
        [sys.executable, "-c", HOST, str(material)], stdout=subprocess.PIPE, cwd=ROOT
    ) as host:
        comm = Path(f"/proc/{int(host.stdout.readline())}/comm")
        assert within_seconds(20, lambda: comm.read_text() == "cleared\n")
        host.kill()
    assert within_seconds(20, lambda: not comm.exists())


def within_seconds(seconds, holds):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


BUSY = """
import inside, os, time, contextlib
from pathlib import Path
with contextlib.suppress(OSError):
    os.sched_setaffinity(0, range(os.cpu_count()))
began, before = time.monotonic(), sum(os.times()[:4])
children = []
for _ in range(4):
    children.append(os.fork())
    if children[-1] == 0:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, range(os.cpu_count()))
        while time.monotonic() < began + SECONDS:
            pass
        os._exit(0)
for child in children:
    os.waitpid(child, 0)
inside.report([sum(os.times()[:4]) - before, time.monotonic() - began])
"""


def test_processor_time_beyond_the_cutoff_ends_the_run(run_either, monkeypatch):
    counted = Cgroup.cpu_seconds
    monkeypatch.setattr(
        watchdog, "_TICK_SECONDS", 30 * watchdog._TICK_SECONDS
    )  # as if thirty cores were at work
    monkeypatch.setattr(Cgroup, "cpu_seconds", lambda group: 30 * counted(group))
    result = run_either(bundle(BUSY.replace("SECONDS", "60")), cutoff_seconds=30.0)
    assert result.reason == "over_cutoff"
    assert result.seconds < 25


MEMFD = """
import os, time
files = [os.memfd_create("hoard") for _ in range(100)]
for file in files:
    os.write(file, bytes(20 << 20))
time.sleep(60)
"""


def test_memory_files_that_are_not_mapped_are_not_to_be_had(run_watched):
    assert run_watched(bundle(MEMFD)).reason == "memory_limit"


NO_LEADER = """
import ctypes, os, threading, time
for _ in range(4):
    if os.fork() == 0:
        def hold():
            held = bytearray(b"x") * (500 << 20)
            time.sleep(60)
        threading.Thread(target=hold).start()
        ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)  # this thread alone
time.sleep(60)
"""


def test_memory_of_a_process_whose_first_thread_has_ended_counts(run_watched):
    assert run_watched(bundle(NO_LEADER)).reason == "memory_limit"


PUT_AWAY = """
import mmap, os, time
os.fork(), os.fork()
shared = mmap.mmap(-1, 500 << 20)
for place in range(0, 500 << 20, 20 << 20):
    shared[place : place + (20 << 20)] = bytes(20 << 20)
    shared.madvise(mmap.MADV_DONTNEED)
time.sleep(60)
"""


def test_shared_memory_that_was_touched_and_put_away_counts(run_watched):
    assert run_watched(bundle(PUT_AWAY)).reason == "memory_limit"


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives each sandbox a user id")


@needs_root
def test_no_two_sandboxes_on_a_machine_share_a_user_id(bubblewrap, spec):
    with claims.claim_uid(UIDS) as mine:  # as another worker would hold it
        sandbox = bubblewrap.start(spec)
        uid = Path(f"/proc/{sandbox.body.pid}").stat().st_uid
        program = (
            "import sys; from worker.sandbox import claims; print(claims.claim('uid', int(sys.argv[1])))"
        )
        for held in (mine.number, uid):
            told = subprocess.run(
                [sys.executable, "-c", program, str(held)], cwd=ROOT, capture_output=True, check=True
            )
            assert told.stdout == b"None\n"
        sandbox.close()
    assert uid != mine.number


@needs_root
def test_what_a_dead_worker_left_behind_is_killed_before_work_starts(bubblewrap):
    with claims.claim_uid(UIDS + 500) as held:
        left = subprocess.Popen(["setpriv", "--reuid", str(held.number), "--clear-groups", "sleep", "600"])
        assert within_seconds(10, lambda: Path(f"/proc/{left.pid}").stat().st_uid == held.number)
        bubblewrap.probe()
        assert left.poll() is None  # a living worker's
    bubblewrap.probe()
    assert left.wait(10) == -9
