"""Bundles that reach for the host or out of their place by being run; single calls are in probes.py."""

import platform

from tests.hostile.catalogue import SCORED, Family, attack

ESCAPE, LEAK = Family.ESCAPE, Family.LEAK
FOREIGN = """
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid of i386); int 0x80; ret
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
def unlearning(net): pass
"""


def says_nothing(result):
    """All that leaves a failed run in a hidden split."""
    assert {name for name, value in vars(result).items() if value} == {"seconds", "verdict", "reason"}


ATTACKS = (
    *(
        [attack("a call as i386 programs make it", ESCAPE, FOREIGN, "died")]
        if platform.machine() == "x86_64"
        else []
    ),
    attack(
        "kill of pid 1",
        ESCAPE,
        """
import os, time
for number in (9, 15, 19, 11):
    child = os.fork()
    if child == 0:
        os.kill(1, number)
        os._exit(0)
    os.waitpid(child, 0)
def unlearning(net): pass
""",
        SCORED,
    ),
    attack(
        "kill of everything in sight",
        ESCAPE,
        """
import os
child = os.fork()
if child == 0:
    for number in range(2, 40000):
        try: os.kill(number, 9)
        except OSError: pass
    os._exit(0)
os.waitpid(child, 0)
child = os.fork()
if child == 0:
    os.kill(-1, 9)
    os._exit(0)
os.waitpid(child, 0)
def unlearning(net): pass
""",
        SCORED,
        neighbour=True,
    ),
    attack(
        "another program in the runner's place",
        ESCAPE,
        "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'pass'])",
        "no_weights",
    ),
    attack(
        "a process name that looks like the kernel's own lines",
        ESCAPE,
        r"""
import ctypes, os, time
ctypes.CDLL(None).prctl(15, b"\xff) R 1\n", 0, 0, 0)
os.fork(), os.fork()
ctypes.CDLL(None).prctl(15, b"\x0bRssAnon: x", 0, 0, 0)
hoard = bytearray(b"x") * (500 << 20)
time.sleep(60)
""",
        "memory_limit",
    ),
    attack(
        "exception text",
        LEAK,
        """
def unlearning(net, retain, forget, validation):
    raise ValueError([label for _, label in forget])
""",
        "raised",
        check=says_nothing,
    ),
    attack("exit code", LEAK, "import os\nos._exit(42)", "died", check=says_nothing),
    attack("another exit code", LEAK, "import os\nos._exit(43)", "died", check=says_nothing),
    attack(
        "death by a signal of one's choice",
        LEAK,
        "import os\nos.execv('/bin/sh', ['sh', '-c', 'exit 200'])",
        "died",
        check=says_nothing,
    ),
    attack(
        "an exception that fails when it is looked at",
        LEAK,
        """
class Sly(BaseException):
    def __getattribute__(self, name): raise SystemError
    def __str__(self): raise SystemError
def unlearning(net): raise Sly
""",
        "raised",
        "died",
        check=says_nothing,
    ),
)
