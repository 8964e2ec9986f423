"""What a worker tries in a sandbox before it takes any work: each name with whether it holds, printed as JSON."""

SCRIPT = """
import ctypes, errno, json, os, socket
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
def death_signal():
    kept = ctypes.c_int()
    libc.prctl(1, 0)
    libc.prctl(2, ctypes.byref(kept))
    return kept.value
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
io_uring_setup = 425
print(json.dumps({
    "network closed": refused(connect) and [name for _, name in socket.if_nameindex()] == ["lo"],
    "read-only root": refused(lambda: open("/probe", "w")) and refused(lambda: open("/usr/probe", "w")),
    "core_pattern not writable": refused(lambda: open("/proc/sys/kernel/core_pattern", "r+")),
    "no capabilities": int(status["CapEff"], 16) == 0 and status["NoNewPrivs"].strip() == "1",
    "own process namespace": os.getpid() == 1,
    "empty environment": set(os.environ) <= {"PWD", "LC_CTYPE"},
    "vsock refused": refused(lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)),
    "io_uring refused": forbidden(io_uring_setup, 1, None),
    "cores fixed": refused(lambda: os.sched_setaffinity(0, os.sched_getaffinity(0))),
    "dies with the worker": death_signal() == 9,
}))
"""
