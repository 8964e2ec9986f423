"""What a worker tries in a sandbox before it takes any work: each name with whether it holds, printed as JSON lines."""

import json
from collections.abc import Mapping

from worker.sandbox.base import Limits, SandboxUnavailable

LIMITS = Limits(memory_bytes=256 << 20, processes=32, tmp_bytes=1 << 20, output_bytes=1 << 20)
"""What the probe's own sandbox may use: little, so that its caps are reached at once."""

_SCRIPT = """
import ctypes, errno, json, os, resource, signal, socket, time
for name, value in RLIMITS.items():
    resource.setrlimit(getattr(resource, name), (value, value))
def refused(attempt):
    try:
        attempt()
    except OSError:
        return True
    return False
def connect():
    socket.create_connection(("192.0.2.1", 80), timeout=1)
libc = ctypes.CDLL(None, use_errno=True)
def forbidden(*call):
    return libc.syscall(*call) == -1 and ctypes.get_errno() == errno.EPERM
def children():
    found = []
    try:
        while len(found) < 2 * PROCESSES:
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            found.append(child)
    except OSError:
        pass
    for child in found:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return len(found)
def hoard():
    child = os.fork()
    if child == 0:
        try:
            held = bytearray(2 * MEMORY_BYTES)
            for place in range(0, len(held), 4096):
                held[place] = 1
        except MemoryError:
            os._exit(9)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return status != 0
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
io_uring_setup = 425
print(json.dumps({
    "network closed": refused(connect) and [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line] == ["lo"],
    "read-only root": refused(lambda: open("/probe", "w")) and refused(lambda: open("/usr/probe", "w")),
    "core_pattern not writable": refused(lambda: open("/proc/sys/kernel/core_pattern", "r+")),
    "no capabilities": int(status["CapEff"], 16) == 0 and status["NoNewPrivs"].strip() == "1",
    "own process namespace": os.getpid() == 1,
    "empty environment": set(os.environ) <= ALLOWED_VARIABLES,
    "vsock refused": refused(lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)),
    "io_uring refused": forbidden(io_uring_setup, 1, None),
    "cores fixed": refused(lambda: os.sched_setaffinity(0, os.sched_getaffinity(0))),
    "processes capped": children() < 2 * PROCESSES,
    "memory capped": hoard(),
}), flush=True)
"""


def script(rlimits: Mapping[str, int], variables: tuple[str, ...] = ("PWD", "LC_CTYPE")) -> str:
    """Return the probe's source; it sets `rlimits` as the runner would, and expects no other `variables`."""
    names = {
        "RLIMITS": dict(rlimits),
        "PROCESSES": LIMITS.processes,
        "MEMORY_BYTES": LIMITS.memory_bytes,
        "ALLOWED_VARIABLES": set(variables),
    }
    return "".join(f"{name} = {value!r}\n" for name, value in names.items()) + _SCRIPT


def judge(answer: bytes, otherwise: str, advice: str) -> None:
    """Raise SandboxUnavailable unless every probe held; `otherwise` says what else may be wrong when none answered."""
    try:
        failed = [name for name, holds in json.loads(answer).items() if not holds]
    except ValueError as error:
        raise SandboxUnavailable(f"Sandboxes do not work here: {otherwise}. {advice}") from error
    if failed:
        raise SandboxUnavailable(f"Sandboxes are not safe here; failed probes: {', '.join(failed)}. {advice}")
