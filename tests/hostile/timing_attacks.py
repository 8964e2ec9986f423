"""Bundles that want more time than they are given, or to speak after the end, or to remember."""

from tests.hostile.catalogue import SCORED, Family, attack

TIMING = Family.TIMING
WHERE = """
import inside, os
PLACES = ("/tmp", "/dev/shm", "/var/tmp", "/run", "/material", "/site", "/usr/lib", "/tmp/bundle", "/")
NAMES = [f"{place}/{name}" for place in PLACES for name in ("kept-for-later", "__pycache__/kept-for-later")]
"""
LEAVE_TRACES = (
    WHERE
    + """
for name in NAMES:
    try:
        os.makedirs(os.path.dirname(name), exist_ok=True)
        open(name, "w").close()
    except OSError: pass
assert os.path.exists("/tmp/kept-for-later")
open("/tmp/bundle/submission.py", "a").write("import nothing_of_the_kind")
def unlearning(net): pass
"""
)
FIND_TRACES = (
    WHERE
    + """
found = [name for name in NAMES if os.path.lexists(name)]
inside.report(found + [line for line in open("/tmp/bundle/submission.py") if line.startswith("import nothing")])
"""
)


def took_the_hosts_time(result):
    assert result.seconds >= 0.7


def ended_at_once(result):
    assert result.seconds < 10


ATTACKS = (
    attack(
        "work before the clock",
        TIMING,
        "import time\ntime.sleep(0.7)\ndef unlearning(net): pass",
        SCORED,
        check=took_the_hosts_time,
    ),
    attack(
        "patched time",
        TIMING,
        """
import time
sleep = time.sleep
for name in ("time", "monotonic", "perf_counter", "process_time", "sleep"): setattr(time, name, lambda *_: 0.0)
sleep(0.7)
def unlearning(net): pass
""",
        SCORED,
        check=took_the_hosts_time,
    ),
    attack(
        "daemon writing after exit",
        TIMING,
        """
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
""",
        "malformed_output",
        check=ended_at_once,
    ),
    attack(
        "double fork to work on after the end",
        TIMING,
        """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: open("/tmp/still-here", "w").close()
    os._exit(0)
os.wait()
def unlearning(net): pass
""",
        SCORED,
        check=ended_at_once,
    ),
    attack("early exit 0", TIMING, "import sys\nsys.exit(0)", "no_weights"),
    attack("early _exit 0", TIMING, "import os\nos._exit(0)", "no_weights"),
    attack(
        "threads and exit handlers that go on after the return",
        TIMING,
        """
import atexit, threading, time
atexit.register(time.sleep, 600)
threading.Thread(target=time.sleep, args=(600,)).start()
def unlearning(net): pass
""",
        SCORED,
        check=ended_at_once,
    ),
    attack(
        "valid weights, and then no end",
        TIMING,
        """
import __main__, time
def unlearning(net):
    write = __main__.write_weights
    def write_and_stay(*arguments):
        write(*arguments)
        while True: time.sleep(60)
    __main__.write_weights = write_and_stay
""",
        "over_cutoff",
        cutoff=1.5,
    ),
    attack(
        "valid weights from right before the cutoff until after it, all signals ignored",
        TIMING,
        """
import __main__, signal, time
began = time.monotonic()
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
def unlearning(net):
    write = __main__.write_weights
    def write_late(*arguments):
        while time.monotonic() < began + 1.4: pass
        while True: write(*arguments)
    __main__.write_weights = write_late
""",
        "over_cutoff",
        cutoff=1.5,
    ),
    attack("cache across seeds", TIMING, LEAVE_TRACES, SCORED, then=FIND_TRACES),
    attack(
        "processes that each choose other cores",
        TIMING,
        """
import contextlib, os, time
began, before = time.monotonic(), sum(os.times()[:4])
children = []
for _ in range(4):
    children.append(os.fork())
    if children[-1] == 0:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, range(os.cpu_count()))
        while time.monotonic() < began + 2: pass
        os._exit(0)
for child in children: os.waitpid(child, 0)
assert sum(os.times()[:4]) - before <= 1.2 * (time.monotonic() - began)
def unlearning(net): pass
""",
        SCORED,
        neighbour=True,
    ),
)
