import subprocess
import sys

import pytest

from worker.sandbox.watchdog import CpuClock, tree

BURN = """
import os, signal, sys, time
if sys.argv[1] == "unasked":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.read(0, 1)
for _ in range(3):
    child = os.fork()
    if child == 0:
        while time.process_time() < 0.3:
            pass
        os.write(1, b"b")
        os.read(0, 1)  # it ends once it was looked at
        os._exit(0)
    try:
        os.waitpid(child, 0)
    except ChildProcessError:
        pass
os.write(1, b"d")
os.read(0, 1)
"""


@pytest.mark.parametrize("how", ["asked", "unasked"])
def test_processor_time_of_ended_children_counts_once_asked_for_or_not(how):
    program = [sys.executable, "-c", BURN, how]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        clock = CpuClock(process.pid)
        process.stdin.write(b".")
        while process.stdout.read(1) == b"b":
            clock.seconds(tree(process.pid))
            process.stdin.write(b".")
        assert 0.8 < clock.seconds(tree(process.pid)) < 1.5
        process.stdin.write(b".")
