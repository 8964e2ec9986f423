"""Control groups of this machine's kernel, and the files of the version that it does not have."""

import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from tests.worker.sandbox.tools import UIDS
from worker.sandbox.base import Limits, SandboxFault
from worker.sandbox.cgroup import Cgroup, CgroupMeter, Cgroups, delegated, group_of

LIMITS = Limits(memory_bytes=64 << 20, processes=8, tmp_bytes=0, output_bytes=0)
ENTER = "import os, sys\nfor path in sys.argv[1:]: open(path, 'w').write(str(os.getpid()))\n"
BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
HOARD = "held = bytearray(b'x') * (128 << 20)\n"
FORK = """
import time
children = 0
try:
    while children < 100:
        if os.fork() == 0:
            time.sleep(60)
        children += 1
except OSError:
    print(children, flush=True)
    os.killpg(0, 9)
"""
OWNER = UIDS + 3000  # which no sandbox gets
DELEGATED = f"""
import os
from worker.sandbox.cgroup import Cgroups
os.setgroups([])
os.setresgid({OWNER}, {OWNER}, {OWNER})
os.setresuid({OWNER}, {OWNER}, {OWNER})
def tell():
    print(Cgroups.find().tops["memory"], flush=True)
tell()
tell()
if os.fork() == 0:
    tell()
    os._exit(0)
os.wait()
"""
ROOT = Path(__file__).parents[3]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root, or a delegated user, may make groups")


@pytest.fixture
def group():
    groups = Cgroups.find()
    assert groups is not None, "root should find a place for control groups here"
    made = groups.make("test", LIMITS)
    yield made
    made.remove()


@pytest.fixture
def given():
    """A group of version 2 that an ordinary user may make groups in."""
    groups = Cgroups.find()
    if groups is None or groups.version != 2:
        pytest.skip("this machine counts memory by control groups of version 1, or not at all")
    folder = groups.tops["memory"].parent / "given-test"
    folder.mkdir()
    for path in (folder, folder / "cgroup.procs", folder / "cgroup.subtree_control"):
        os.chown(path, OWNER, OWNER)
    yield folder
    for below in sorted(folder.rglob("*"), reverse=True):
        if below.is_dir():
            below.rmdir()
    folder.rmdir()


def inside(group, program):
    return subprocess.run(
        [sys.executable, "-c", ENTER + program, *map(str, group.entrances)],
        stdout=subprocess.PIPE,
        check=False,
        process_group=0,
    )


@needs_root
def test_seconds_of_ended_processes_are_counted_from_the_start_on(group):
    inside(group, BURN)
    meter = CgroupMeter(group)
    meter.start()
    assert meter.look().cpu_seconds < 0.1
    inside(group, BURN)
    assert 0.25 < meter.look().cpu_seconds < 2


@needs_root
def test_memory_over_the_cap_is_killed_and_told(group):
    meter = CgroupMeter(group)
    meter.start()
    assert inside(group, "pass").returncode == 0
    assert (meter.look().over_memory, meter.killed_for_memory()) == (False, False)
    assert inside(group, HOARD).returncode == -9
    assert (meter.look().over_memory, meter.killed_for_memory()) == (True, True)


@needs_root
def test_processes_over_the_cap_are_refused(group):
    assert 0 < int(inside(group, FORK).stdout) < 20


@needs_root
def test_a_group_that_a_dead_worker_left_is_taken_over(group):
    inside(group, HOARD)
    again = Cgroups.find().make("test", LIMITS)
    assert not CgroupMeter(again).killed_for_memory()


@needs_root
def test_the_group_of_a_process_that_others_started_is_found(group):
    process = subprocess.Popen(
        [sys.executable, "-c", ENTER + "input()", *map(str, group.entrances)], stdin=subprocess.PIPE
    )
    for entrance in group.entrances:
        while str(process.pid) not in entrance.read_text().split():
            pass
    found = group_of(process.pid)
    process.communicate(b"\n")
    assert found is not None
    assert set(found.entrances) == set(group.entrances)


@needs_root
def test_a_group_given_to_a_user_is_one_place_for_all_that_the_user_starts(given):
    told = subprocess.run(
        [sys.executable, "-c", ENTER + DELEGATED, str(given / "cgroup.procs")],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout
    assert told.split() == [str(given / "lethe")] * 3


def test_the_group_given_to_a_worker_is_found_from_where_it_moved_aside():
    assert delegated("user.slice/lethe.service/lethe-aside") == PurePosixPath("user.slice/lethe.service")
    assert delegated("user.slice/not-lethe-aside") == PurePosixPath("user.slice/not-lethe-aside")
    assert delegated("lethe-aside") == delegated("") == PurePosixPath()


@needs_root
def test_a_kill_that_its_own_cap_does_not_explain_is_our_fault(group, monkeypatch):
    meter = CgroupMeter(group)
    meter.start()
    monkeypatch.setattr(Cgroup, "memory_kills", lambda _: 1)  # as if the whole machine had run out
    with pytest.raises(SandboxFault, match="this machine ran out of memory"):
        meter.look()
    with pytest.raises(SandboxFault, match="this machine ran out of memory"):
        meter.killed_for_memory()


def test_a_removed_group_is_no_trouble(tmp_path):
    gone = Cgroup(2, dict.fromkeys(("memory", "pids", "cpuacct"), tmp_path / "gone"))
    meter = CgroupMeter(gone)
    assert not meter.look().over_memory
    assert not meter.killed_for_memory()
    gone.remove()


def test_version_2_has_all_in_one_folder(tmp_path):
    group = Cgroup(2, dict.fromkeys(("memory", "pids", "cpuacct"), tmp_path))
    for name in ("memory.max", "memory.swap.max", "pids.max"):
        (tmp_path / name).touch()
    (tmp_path / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")
    (tmp_path / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    group.limit(LIMITS)
    assert Path(tmp_path / "memory.max").read_text() == str(64 << 20)
    assert Path(tmp_path / "memory.swap.max").read_text() == "0"
    assert group.entrances == [tmp_path / "cgroup.procs"]
    assert group.cpu_seconds() == 1.5
    assert group.memory_kills() == 1
    assert group.reached_its_cap()
