import select
import subprocess
import sys

import pytest

from worker.sandbox.watchdog import CpuClock, tree

BURN = """
import os, signal, sys, time
if sys.argv[1] == "unasked":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
sys.stdin.readline()
for _ in range(3):
    child = os.fork()
    if child == 0:
        while time.process_time() < 0.3:
            pass
        os._exit(0)
    try:
        os.waitpid(child, 0)
    except ChildProcessError:
        pass
print("done", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("how", ["asked", "unasked"])
def test_processor_time_of_ended_children_counts_once_asked_for_or_not(how):
    program = [sys.executable, "-c", BURN, how]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        clock = CpuClock(process.pid)
        process.stdin.write(b"go\n")
        process.stdin.flush()
        while not select.select([process.stdout], [], [], 0.005)[0]:
            clock.seconds(tree(process.pid))
        assert 0.5 < clock.seconds(tree(process.pid)) < 1.3
        process.stdin.close()
