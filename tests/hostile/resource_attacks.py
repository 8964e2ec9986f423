"""Bundles that take what is not theirs: time, processes, memory, disk."""

from tests.hostile.catalogue import SCORED, Family, attack

RESOURCE = Family.RESOURCE


def well_before_its_cutoff(result):
    assert result.seconds < 10


ATTACKS = (
    attack("loop at import", RESOURCE, "while True: pass", "over_cutoff", cutoff=0.6),
    attack("sleep", RESOURCE, "import time\ntime.sleep(600)", "over_cutoff", cutoff=0.4),
    attack(
        "all signals ignored",
        RESOURCE,
        """
import signal, time
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True:
    try: time.sleep(60)
    except BaseException: pass
""",
        "over_cutoff",
        cutoff=0.6,
    ),
    attack(
        "fork bomb",
        RESOURCE,
        """
import os
while True:
    try: os.fork()
    except OSError: pass
""",
        "over_cutoff",
        cutoff=1.0,
        neighbour=True,
    ),
    attack(
        "one process more than allowed",
        RESOURCE,
        """
import os, signal
children = []
try:
    while len(children) < 500:
        child = os.fork()
        if child == 0: signal.pause()
        children.append(child)
except OSError: pass
for child in children: os.kill(child, 9)
0 < len(children) < 64 or os._exit(65)
def unlearning(net): pass
""",
        SCORED,
    ),
    attack(
        "thread bomb",
        RESOURCE,
        """
import threading, time
while True:
    try: threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    except RuntimeError: pass
""",
        "over_cutoff",
        cutoff=1.0,
        neighbour=True,
    ),
    attack(
        "fork bomb of orphans that nobody waits for",
        RESOURCE,
        """
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork(): os._exit(0)
    except OSError: pass
""",
        "over_cutoff",
        cutoff=1.0,
    ),
    attack(
        "every process stopped",
        RESOURCE,
        """
import os, signal, time
for _ in range(5):
    if os.fork() == 0:
        while True: time.sleep(60)
while True:
    os.kill(-1, signal.SIGSTOP)
    time.sleep(0.05)
""",
        "over_cutoff",
        cutoff=0.6,
    ),
    attack(
        "memory by malloc",
        RESOURCE,
        "hoard = []\nwhile True: hoard.append(bytearray(b'x') * (50 << 20))",
        "memory_limit",
        neighbour=True,
    ),
    attack(
        "memory of many processes together",
        RESOURCE,
        """
import os, time
for _ in range(6):
    if os.fork() == 0:
        hoard = bytearray(b"x") * (400 << 20)
        time.sleep(60)
time.sleep(60)
""",
        "memory_limit",
    ),
    attack(
        "memory by shared mmap",
        RESOURCE,
        """
import mmap, os, time
for _ in range(4):
    if os.fork() == 0:
        shared = mmap.mmap(-1, 500 << 20)
        for place in range(0, 500 << 20, 4096): shared[place] = 1
        time.sleep(60)
time.sleep(60)
""",
        "memory_limit",
    ),
    attack(
        "shared memory touched and put away again",
        RESOURCE,
        """
import mmap, os, time
os.fork(), os.fork()
shared = mmap.mmap(-1, 500 << 20)
for place in range(0, 500 << 20, 20 << 20):
    shared[place : place + (20 << 20)] = bytes(20 << 20)
    shared.madvise(mmap.MADV_DONTNEED)
time.sleep(60)
""",
        "memory_limit",
    ),
    attack(
        "memory by memfd",
        RESOURCE,
        """
import os, time
files = [os.memfd_create("hoard") for _ in range(100)]
for file in files:
    os.write(file, bytes(20 << 20))
time.sleep(60)
""",
        "memory_limit",
    ),
    attack(
        "disk flood",
        RESOURCE,
        """
import errno
told = []
for folder in ("/tmp", "/dev/shm"):
    written = 0
    try:
        for number in range(400):
            with open(f"{folder}/{number}", "wb") as file:
                written += file.write(bytes(1 << 20))
    except OSError as error:
        told.append(error.errno == errno.ENOSPC and written <= 17 << 20)
import glob, os
for name in glob.glob("/tmp/[0-9]*"): os.unlink(name)
assert told == [True, True], told
def unlearning(net): pass
""",
        SCORED,
    ),
    attack(
        "inode flood",
        RESOURCE,
        """
count = 0
while True:
    try: open(f"/tmp/{count}", "w").close()
    except OSError: pass
    count += 1
""",
        "over_cutoff",
        "memory_limit",
        cutoff=1.5,
    ),
    attack(
        "1 TiB sparse file",
        RESOURCE,
        """
import errno, os
for path in ("/tmp/sparse", "/dev/shm/sparse"):
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    for attempt in (lambda: os.ftruncate(file, 1 << 40), lambda: os.pwrite(file, b"x", 1 << 40), lambda: os.posix_fallocate(file, 0, 1 << 40)):
        try: attempt()
        except OSError as error: assert error.errno in (errno.EFBIG, errno.ENOSPC), error
        else: raise AssertionError("a file of 1 TiB")
def unlearning(net): pass
""",
        SCORED,
    ),
    attack(
        "stdout flood",
        RESOURCE,
        """
import os
for _ in range(2000):
    os.write(1, bytes(1 << 20)), os.write(2, bytes(1 << 20))
def unlearning(net): pass
""",
        SCORED,
        check=well_before_its_cutoff,
    ),
    attack(
        "core dump",
        RESOURCE,
        """
import os, resource
resource.getrlimit(resource.RLIMIT_CORE) == (0, 0) or os._exit(64)
os.chdir("/tmp")
os.abort()
""",
        "died",
    ),
    attack("segfault", RESOURCE, "import ctypes\nctypes.string_at(0)", "died"),
    attack(
        "segfault in a child only",
        RESOURCE,
        """
import ctypes, os
if os.fork() == 0: ctypes.string_at(0)
os.wait()
def unlearning(net): pass
""",
        SCORED,
    ),
)
