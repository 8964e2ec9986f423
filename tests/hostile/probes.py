"""Single questions asked from inside: each is one line of the table, and few sandboxes answer all of them."""

import os
import platform
from dataclasses import dataclass

from tests.hostile.catalogue import Family

ESCAPE, LEAK, TIMING, FORGERY, RESOURCE = (
    Family.ESCAPE,
    Family.LEAK,
    Family.TIMING,
    Family.FORGERY,
    Family.RESOURCE,
)
EPERM = frozenset({"EPERM"})
KEPT_OUT = frozenset({"EPERM", "EACCES", "EROFS", "ENOENT", "ENOSYS", "ENODEV", "ENXIO", "ENOTDIR"})
NOTHING = frozenset({"nothing"})
NO_LOCKS = frozenset({"ENOLCK"})
NOT_YOURS = EPERM | {"EINVAL"}  # an id that the sandbox does not have
NO_TERMINAL = frozenset({"ENXIO", "ENOTTY", "EIO", "ENOENT", "EPERM"})


@dataclass(frozen=True)
class Probe:
    """`ask` is a Python expression in the words of INSIDE; its answer is an errno's name, "allowed", or what was found."""

    name: str
    family: Family
    ask: str
    holds: frozenset[str] = KEPT_OUT


X86 = platform.machine() == "x86_64"
CALLS = {  # system call: its number on x86_64 and on aarch64
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "fsopen": (430, 430), "fsmount": (432, 432), "fsconfig": (431, 431), "fspick": (433, 433),
    "open_tree": (428, 428), "move_mount": (429, 429), "mount_setattr": (442, 442), "open_by_handle_at": (304, 265),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438),
    "kcmp": (312, 272), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "sched_setaffinity": (203, 122), "shmget": (29, 194), "semget": (64, 190),
    "msgget": (68, 186), "memfd_secret": (447, 447), "syslog": (103, 116), "fanotify_init": (300, 262),
    "inotify_add_watch": (254, 27), "io_setup": (206, 0), "io_submit": (209, 2), "mincore": (27, 232), "cachestat": (451, 451),
}  # fmt: skip
MORE_CALLS = {  # refused for want of a capability
    "reboot": (169, 142), "swapon": (167, 224), "acct": (163, 89), "settimeofday": (164, 170), "sethostname": (170, 161),
    "setdomainname": (171, 162), "vhangup": (153, 58),
}  # fmt: skip

INSIDE = """
import contextlib, ctypes, errno, fcntl, glob, json, mmap, os, resource, signal, socket, struct, subprocess, sys, time
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    return "allowed" if libc.syscall(number, *(arguments or (0, 0, 0, 0, 0))) >= 0 else errno.errorcode[ctypes.get_errno()]

def tried(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
    except Exception as error:
        return type(error).__name__
    return "allowed"

def in_a_child(attempt):
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(theirs, attempt().encode())
        os._exit(0)
    _, how = os.waitpid(child, 0)
    answer = b"killed" if os.WIFSIGNALED(how) else os.read(ours, 100)
    os.close(ours), os.close(theirs)
    return answer.decode()

def named_sockets():
    for line in open("/proc/net/unix").readlines()[1:]:
        if len(line.split()) == 8:
            yield line.split()[-1].replace("@", chr(0))

def written(path):
    return tried(lambda: os.write(os.open(path, os.O_WRONLY), b"1"))

def read(path):
    return tried(lambda: open(path, "rb").read(100))

def made(path):
    return tried(lambda: open(path, "x"))

def opened(family, kind=socket.SOCK_STREAM, protocol=0):
    return tried(lambda: socket.socket(family, kind, protocol))

def connected(path, kind=socket.SOCK_STREAM):
    def connect():
        with socket.socket(socket.AF_UNIX, kind) as one:
            one.connect(path)
    return tried(connect)

def found(names):
    names = sorted(set(names))
    return ", ".join(map(str, names)) or "nothing"

def existing(*paths):
    return found(path for pattern in paths for path in glob.glob(pattern))

def descriptors():
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            yield number, os.readlink(f"/proc/self/fd/{number}")

def new_namespace(flags, clone3=False):
    if clone3:
        arguments = (ctypes.c_uint64 * 11)(flags, 0, 0, 0, 17)
        child = libc.syscall(435, arguments, 88)
    else:
        child = libc.syscall(56 if os.uname().machine == "x86_64" else 220, flags | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    return "allowed" if child > 0 else errno.errorcode[ctypes.get_errno()]

def became(program):
    done = subprocess.run(program, capture_output=True, stdin=subprocess.DEVNULL)
    return "allowed" if done.returncode == 0 and b"0" in done.stdout.split() else "EPERM"

def status(name):
    return next(line.split(":", 1)[1].strip() for line in open("/proc/self/status") if line.startswith(name + ":"))

def locked(command, kind=fcntl.F_RDLCK):
    with open("/material/model.py", "rb") as file:
        return tried(lambda: fcntl.fcntl(file, command, struct.pack("hhqqi4x", kind, 0, 0, 0, 0)))
"""


def call(name: str, numbers: tuple[int, int]) -> Probe:
    return Probe(name, ESCAPE, f"call({numbers[0] if X86 else numbers[1]})", EPERM)


def of(family: Family, holds: frozenset[str], **asked: str) -> list[Probe]:
    return [Probe(name.replace("_", " "), family, ask, holds) for name, ask in asked.items()]


PROBES = (
    *(call(name, numbers) for name, numbers in (CALLS | MORE_CALLS).items()),
    *([Probe("a call as x32 programs make it", ESCAPE, "in_a_child(lambda: call(0x40000000 + 39))", EPERM | {"killed"})] if X86 else []),
    *([Probe("direct access to ports", ESCAPE, "call(172, 3)", EPERM | {"ENOSYS"})] if X86 else []),
    Probe("clone into a new user namespace", ESCAPE, "new_namespace(0x10000000)", EPERM),
    Probe("clone3 into a new user namespace", ESCAPE, "new_namespace(0x10000000, clone3=True)", frozenset({"ENOSYS", "EPERM"})),
    Probe("clone into a new time namespace", ESCAPE, "new_namespace(0x80, clone3=True)", frozenset({"ENOSYS", "EPERM"})),
    # sockets that lead somewhere
    *of(
        ESCAPE,
        EPERM,
        vsock="opened(socket.AF_VSOCK)",
        kernel_crypto_sockets="opened(socket.AF_ALG, socket.SOCK_SEQPACKET)",
        raw_packets="opened(socket.AF_PACKET, socket.SOCK_RAW)",
        bluetooth_sockets="opened(31, socket.SOCK_RAW)",
        sockets_of_the_kernel_key_manager="opened(15, socket.SOCK_RAW, 2)",
        xdp_sockets="opened(44, socket.SOCK_RAW)",
    ),
    *of(
        LEAK,
        EPERM | {"ENETUNREACH"},
        metadata_address="tried(lambda: socket.create_connection(('169.254.169.254', 80), 1))",
        a_name_to_look_up="tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53)))",
        the_host_over_loopback="tried(lambda: socket.create_connection(('127.0.0.1', PORT), 1))",
        the_host_over_loopback_of_version_6="tried(lambda: socket.create_connection(('::1', PORT), 1))",
        a_datagram_to_the_host="tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT)))",
    ),
    Probe("a host's socket without a path", LEAK, "connected('\\0lethe-PORT')", KEPT_OUT | {"ECONNREFUSED"}),
    Probe("network interfaces", LEAK, "found(line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line)", frozenset({"lo"})),
    # files of the host
    *of(
        ESCAPE,
        KEPT_OUT,
        core_pattern="written('/proc/sys/kernel/core_pattern')",
        the_kernels_module_loader="written('/proc/sys/kernel/modprobe')",
        sysrq="written('/proc/sysrq-trigger')",
        a_kernel_setting="written('/proc/sys/vm/drop_caches')",
        the_next_process_number="written('/proc/sys/kernel/ns_last_pid')",
        uevent_helper="written('/sys/kernel/uevent_helper')",
        cgroup_processes="found(w for w in (written(p) for p in glob.glob('/sys/fs/cgroup/**/cgroup.procs', recursive=True)[:50] + ['/sys/fs/cgroup/cgroup.procs']) if w not in ('EPERM', 'EACCES', 'EROFS', 'ENOENT')).replace('nothing', 'EPERM')",
        cgroup_memory_limit="written('/sys/fs/cgroup/memory/memory.limit_in_bytes')",
        cgroup_release_agent="written('/sys/fs/cgroup/memory/release_agent')",
        a_place_where_groups_can_be_made="tried(lambda: os.mkdir('/sys/fs/cgroup/escape'))",
        the_hosts_memory="read('/dev/mem')",
        the_kernels_memory="read('/proc/kcore')",
        the_kernels_log="read('/dev/kmsg')",
        the_hosts_disk="found(p for p in glob.glob('/dev/*') if os.path.exists(p) and __import__('stat').S_ISBLK(os.stat(p).st_mode)).replace('nothing', 'ENOENT')",
        docker_socket="connected('/var/run/docker.sock')",
        docker_socket_at_its_other_place="connected('/run/docker.sock')",
        containerd_socket="connected('/run/containerd/containerd.sock')",
        system_bus="connected('/run/dbus/system_bus_socket')",
        a_file_at_the_root="made('/escaped')",
        a_file_in_usr="made('/usr/escaped')",
        a_file_in_etc="made('/etc/escaped')",
        a_device_in_dev="made('/dev/escaped')",
        the_material="written('/material/model.py')",
        a_file_beside_the_material="made('/material/escaped')",
        another_time_on_the_material="tried(lambda: os.utime('/material/model.py', (0, 0)))",
        another_mode_for_the_material="tried(lambda: os.chmod('/material/model.py', 0o777))",
        the_packages="made(os.path.dirname(os.path.dirname(sys.modules['torch'].__file__)) + '/escaped')",
        the_interpreter="written(sys.executable)",
        the_hosts_canary="written('CANARY')",
        a_link_to_the_hosts_canary="tried(lambda: os.link('CANARY', '/tmp/canary'))",
        the_hosts_canary_through_pid_1="written('/proc/1/root' + 'CANARY')",
    ),
    *of(
        ESCAPE,
        EPERM,
        mknod_of_a_disk="tried(lambda: os.mknod('/tmp/disk', 0o60666, os.makedev(8, 0)))",
        mknod_of_the_hosts_memory="tried(lambda: os.mknod('/tmp/memory', 0o20666, os.makedev(1, 1)))",
        clock_settime="tried(lambda: time.clock_settime(time.CLOCK_REALTIME, 0))",
        trusted_file_attributes="tried(lambda: os.setxattr('/tmp', 'trusted.x', b'1'))",
    ),
    *of(
        ESCAPE,
        NOT_YOURS,
        setuid="tried(lambda: os.setuid(0))",
        setgid="tried(lambda: os.setgid(0))",
        setgroups="tried(lambda: os.setgroups([0]))",
        a_file_given_to_root="tried(lambda: (open('/tmp/mine', 'w').close(), os.chown('/tmp/mine', 0, 0)))",
    ),
    Probe("su", ESCAPE, "became(['su', '-c', 'id -u'])", EPERM),
    Probe("a copy of a program made setuid", ESCAPE, "became(['sh', '-c', 'cp /usr/bin/id /tmp/id && chmod 6755 /tmp/id && /tmp/id -u'])", EPERM),
    Probe("capabilities", ESCAPE, "found({status(n) for n in ('CapEff', 'CapPrm', 'CapBnd', 'CapInh', 'CapAmb')} - {'0' * 16})", NOTHING),
    Probe("new privileges", ESCAPE, "status('NoNewPrivs')", frozenset({"1"})),
    Probe("the filter of system calls", ESCAPE, "status('Seccomp')", frozenset({"2"})),
    Probe("TIOCSTI", ESCAPE, "tried(lambda: fcntl.ioctl(0, 0x5412, b'x'))", NO_TERMINAL),
    Probe("a terminal", ESCAPE, "tried(lambda: os.open('/dev/tty', os.O_RDWR))", NO_TERMINAL),
    Probe("pid of the first process", ESCAPE, "str(os.getpid())", frozenset({"1"})),
    Probe("other processes", LEAK, "found(n for n in os.listdir('/proc') if n.isdigit() and n != '1' and b'/runner' not in Path(f'/proc/{n}/cmdline').read_bytes())", NOTHING),
    *of(
        RESOURCE,
        frozenset({"ValueError", "EPERM"}),
        more_processes_than_allowed="tried(lambda: resource.setrlimit(resource.RLIMIT_NPROC, (100000, 100000)))",
        larger_files_than_allowed="tried(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1)))",
        more_descriptors_than_allowed="tried(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100000, 100000)))",
        core_files="tried(lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)))",
    ),
    *of(
        RESOURCE,
        EPERM | {"EACCES"},
        real_time_priority="tried(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))",
        higher_priority="tried(lambda: os.setpriority(os.PRIO_PROCESS, 0, -20))",
        protection_from_the_kernels_memory_killer="tried(lambda: os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'-1000'))",
        larger_pipes="tried(lambda: fcntl.fcntl(os.pipe()[1], 1031, 1 << 20))",
        larger_socket_buffers="tried(lambda: socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24))",
    ),
    Probe("memory locked in place", RESOURCE, "call(151 if os.uname().machine == 'x86_64' else 230, 3)", frozenset({"EPERM", "ENOMEM"})),
    # what can be seen, and by whom
    Probe("environment", LEAK, "found(set(os.environ) | {i.split('=')[0] for i in Path('/proc/self/environ').read_text().split('\\0') if i} - {'PWD', 'LC_CTYPE', 'HOME', 'HOSTNAME', 'PATH'})", NOTHING),
    Probe("labels of the test set", LEAK, "existing('/material/hidden*', '/material/../hidden*', '/tmp/hidden*', '/root/hidden*', '/home/*/hidden*')", NOTHING),
    Probe("the material's own files and no others", LEAK, "found(os.listdir('/material'))", frozenset({"material.json, material.npz, model.py, original.npz"})),
    Probe("what lies beside the material on the host", LEAK, "read('MATERIAL/hidden.npz')"),
    Probe("the service's own code", LEAK, "existing('REPOSITORY/pyproject.toml', '/site/app', '/site/worker', '/site/grader')", NOTHING),
    Probe("the host's canary", LEAK, "read('CANARY')"),
    Probe("passwords and keys of the host", LEAK, "existing('/root/.ssh/*', '/root/.netrc', '/etc/ssh/*', '/run/secrets/*', '/home/*/.ssh')", NOTHING),
    Probe("the passwords' file", LEAK, "read('/etc/shadow')"),
    Probe("other submissions", LEAK, "existing('/var/lib/lethe*', '/tmp/lethe*', '/run/lethe*', '/tmp/bundle?*')", NOTHING),
    Probe("other seeds", LEAK, "existing('/tmp/[!t]*', '/dev/shm/*')", frozenset({"/tmp/bundle"})),  # torch's own begin with a t
    Probe("the name of the host", LEAK, "'nothing' if socket.gethostname() != NODE_NAME else 'the name'", NOTHING),
    Probe("descriptors beside the output slot", LEAK, "found(what for number, what in descriptors() if what != '/dev/null' and not what.startswith(('/proc/', '/memfd:output')))", NOTHING),
    Probe("a second connection to the socket", TIMING, "connected('/control', socket.SOCK_SEQPACKET)", KEPT_OUT | {"ECONNREFUSED"}),
    Probe("sockets left open", TIMING, "found(number for number, what in descriptors() if what.startswith('socket:'))", NOTHING),
    Probe("sockets with a name that answer", LEAK, "found(name for name in named_sockets() if connected(name, socket.SOCK_SEQPACKET) == 'allowed' or connected(name) == 'allowed')", NOTHING),
    # signals between neighbours, through files that both see: the host holds these locks meanwhile
    Probe("flock to a neighbour", LEAK, "tried(lambda: fcntl.flock(open('/material/model.py'), fcntl.LOCK_EX | fcntl.LOCK_NB))", NO_LOCKS),
    Probe("flock to a neighbour on the interpreter", LEAK, "tried(lambda: fcntl.flock(open(sys.executable), fcntl.LOCK_EX | fcntl.LOCK_NB))", NO_LOCKS),
    Probe("a record lock to a neighbour", LEAK, "locked(fcntl.F_SETLK)", NO_LOCKS),
    Probe("a question about a neighbour's record lock", LEAK, "locked(fcntl.F_GETLK, fcntl.F_WRLCK)", NO_LOCKS),
    Probe("an open file's record lock to a neighbour", LEAK, "locked(37)", NO_LOCKS),
    Probe("a lease on a file that neighbours open", LEAK, "tried(lambda: fcntl.fcntl(open('/material/model.py'), 1024, fcntl.F_RDLCK))", KEPT_OUT),
    Probe("a watch on a folder that neighbours read", LEAK, "tried(lambda: fcntl.fcntl(os.open('/material', os.O_RDONLY), 1026, 1))", KEPT_OUT),
    # time
    Probe("widened affinity", TIMING, "tried(lambda: os.sched_setaffinity(0, range(os.cpu_count())))", EPERM),
    Probe("cores for one thread", TIMING, "str(len(os.sched_getaffinity(0)))", frozenset({"1"})),
    # the output
    Probe("patched runner", FORGERY, "found(w for w in (written(sys.modules['__main__'].__file__),) if w == 'allowed').replace('nothing', 'EROFS')"),
    Probe("the bundle's memory file", FORGERY, "found(what for number, what in descriptors() if 'memfd:input' in what)", NOTHING),
    Probe("growing the slot", FORGERY, "tried(lambda: os.ftruncate(int(next(n for n, what in descriptors() if 'memfd:output' in what)), 1 << 40))", EPERM | {"EFBIG"}),
    Probe("what an honest program needs", ESCAPE, "found({opened(socket.AF_UNIX), tried(lambda: socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)), tried(lambda: __import__('multiprocessing').Lock())})", frozenset({"allowed"})),
)  # fmt: skip
SUBMISSION = """
import inside, json, probing
answers = {}
for name, ask in json.load(open("asked.json")).items():
    try:
        answers[name] = eval(ask, vars(probing))
    except OSError as error:
        answers[name] = probing.errno.errorcode[error.errno]
    except BaseException as error:
        answers[name] = repr(error)
inside.report(answers)
"""


def words(canary, material, repository) -> dict[str, str]:
    """What stands for something of this host in the probes."""
    named = {
        "CANARY": canary,
        "MATERIAL": material,
        "REPOSITORY": repository,
        "NODE_NAME": repr(os.uname().nodename),
    }
    return {word: str(value) for word, value in named.items()}
