"""The system calls that a sandbox is refused, as a small program for the kernel's filter (classic BPF).

It closes what namespaces leave open: sockets that reach the hypervisor, large and young parts of the kernel that no
unlearning method needs, memory that could not be counted, and locks and watches on files that several sandboxes see.
Everything else is allowed.
"""

import errno
import platform
import socket
import struct
from dataclasses import dataclass

from worker.sandbox.base import SandboxUnavailable


@dataclass(frozen=True)
class _Machine:
    audit_arch: int
    column: int  # of the table below


_MACHINES = {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}

_NUMBERS: dict[str, tuple[int, int]] = {
    # other processes' memory and descriptors
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    # mounts and namespaces
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "clone": (56, 220),
    "clone3": (435, 435),
    # parts of the kernel with a history
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "syslog": (103, 116),
    "fanotify_init": (300, 262),
    # another kernel
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    # the cores that the host chose
    "sched_setaffinity": (203, 122),
    # memory that belongs to no process
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "memfd_create": (319, 279),
    # signals to other sandboxes through files that all of them see
    "inotify_add_watch": (254, 27),
    "flock": (73, 32),
    # looked at more closely
    "prctl": (157, 167),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "setsockopt": (54, 208),
    "fcntl": (72, 25),
}
_LOOKED_AT = (
    *("prctl", "socket", "socketpair", "memfd_create", "setsockopt", "fcntl"),
    *("flock", "clone", "clone3"),
)
_FAMILIES = (socket.AF_UNIX, socket.AF_NETLINK)
_BUFFER_SIZES = (socket.SO_SNDBUF, socket.SO_RCVBUF, 32, 33)  # the last two are their ...FORCE forms
_F_SETPIPE_SZ = 1031
_LOCKS = (5, 6, 7, 36, 37, 38)  # fcntl's commands that ask for locks or set them, also those of open files
_WATCHES = (1024, 1026)  # F_SETLEASE, F_NOTIFY
_NEW_NAMESPACES = (
    0x7E020000  # in the flags of clone; those of time namespaces go only with clone3 and unshare
)
_PR_SET_PDEATHSIG = 1
_X32 = 0x40000000  # a second set of numbers on x86_64 that would pass by the table

_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT, _SECOND_ARGUMENT_AT, _THIRD_ARGUMENT_AT = (
    0,
    4,
    16,
    24,
    32,
)  # in struct seccomp_data, little-endian
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_OF, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000

_Instruction = tuple[int, int, int, int]  # code, how many to skip if true, if false, operand


def program(machine: str = platform.machine()) -> bytes:
    """Return the filter for a machine (x86_64 or aarch64), as bwrap's --seccomp reads it. Raises SandboxUnavailable."""
    if machine not in _MACHINES:
        raise SandboxUnavailable(f"Sandboxes have no system call filter for {machine}")
    chosen = _MACHINES[machine]
    numbers = {name: row[chosen.column] for name, row in _NUMBERS.items()}
    instructions: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_IF_EQUAL, 1, 0, chosen.audit_arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_AT_LEAST, 0, 1, _X32),
        _answer(errno.EPERM),
    ]
    for name, number in numbers.items():
        if name not in _LOOKED_AT:
            instructions += _when(number, [_answer(errno.EPERM)])
    # a memory file that is not mapped is counted nowhere: there is none to be had, and the run ends for its memory
    instructions += _when(numbers["memfd_create"], [_answer(errno.ENOMEM)])
    # a sandbox dies with its worker, and cannot undo that: the attempt succeeds and does nothing
    keep = [(_LOAD, 0, 0, _FIRST_ARGUMENT_AT), *_when(_PR_SET_PDEATHSIG, [_answer(0)]), _allow()]
    instructions += _when(numbers["prctl"], keep)
    families = [instruction for family in _FAMILIES for instruction in _when(family, [_allow()])]
    plain = [(_LOAD, 0, 0, _FIRST_ARGUMENT_AT), *families, _answer(errno.EPERM)]
    instructions += _when(numbers["socket"], plain) + _when(numbers["socketpair"], plain)
    # what waits in sockets and pipes is counted for no process: their sizes stay the kernel's small ones
    sizes = [instruction for size in _BUFFER_SIZES for instruction in _when(size, [_answer(errno.EPERM)])]
    of_socket = [(_LOAD, 0, 0, _THIRD_ARGUMENT_AT), *sizes, _allow()]
    instructions += _when(
        numbers["setsockopt"],
        [(_LOAD, 0, 0, _SECOND_ARGUMENT_AT), *_when(socket.SOL_SOCKET, of_socket), _allow()],
    )
    instructions += _fcntl(numbers["fcntl"]) + _when(numbers["flock"], [_answer(errno.ENOLCK)])
    instructions += _namespaces(numbers)
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in [*instructions, _allow()])


def _fcntl(number: int) -> list[_Instruction]:
    """Refuse larger pipes, and locks and watches that other sandboxes could see on files that all of them have."""
    refused = {_F_SETPIPE_SZ: errno.EPERM, **dict.fromkeys(_WATCHES, errno.EPERM)}
    refused |= dict.fromkeys(_LOCKS, errno.ENOLCK)
    commands = [one for command, answer in refused.items() for one in _when(command, [_answer(answer)])]
    return _when(number, [(_LOAD, 0, 0, _SECOND_ARGUMENT_AT), *commands, _allow()])


def _namespaces(numbers: dict[str, int]) -> list[_Instruction]:
    """Refuse new processes in new namespaces; clone3 has its flags in memory, where a filter cannot look."""
    flags = [(_LOAD, 0, 0, _FIRST_ARGUMENT_AT), (_IF_ANY_OF, 0, 1, _NEW_NAMESPACES), _answer(errno.EPERM)]
    clone3 = _when(numbers["clone3"], [_answer(errno.ENOSYS)])  # programs then use clone
    return _when(numbers["clone"], [*flags, _allow()]) + clone3


def _when(value: int, then: list[_Instruction]) -> list[_Instruction]:
    return [(_IF_EQUAL, 0, len(then), value), *then]


def _answer(number: int) -> _Instruction:
    """End the call at once with this errno; 0 is success."""
    return (_RETURN, 0, 0, _ERRNO | number)


def _allow() -> _Instruction:
    return (_RETURN, 0, 0, _ALLOW)
