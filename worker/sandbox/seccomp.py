"""The system calls that a sandbox is refused, as a small program for the kernel's filter (classic BPF), and for Docker.

It closes what namespaces leave open: sockets that reach the hypervisor, large and young parts of the kernel that no
unlearning method needs, memory that could not be counted, and locks and watches on files that several sandboxes see.
Docker's own profile is a list of names that are allowed at all; it compares arguments in 64 bits where the kernel reads 32,
so there the runner adds the program before READY.
"""

import errno
import json
import platform
import socket
import struct
from dataclasses import dataclass

from worker.sandbox.base import SandboxUnavailable
from worker.sandbox.system_calls import DENIED, FIRST_UNKNOWN, KNOWN, LOOKED_AT


@dataclass(frozen=True)
class _Machine:
    audit_arch: int
    column: int  # of the table below


_MACHINES = {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}
_DOCKER_NAMES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}

_FAMILIES = (socket.AF_UNIX,)
_BUFFER_SIZES = (socket.SO_SNDBUF, socket.SO_RCVBUF, 32, 33)  # the last two are their ...FORCE forms
_F_SETPIPE_SZ = 1031
_LOCKS = (5, 6, 7, 36, 37, 38)  # fcntl's commands that ask for locks or set them, also those of open files
_WATCHES = (1024, 1026)  # F_SETLEASE, F_NOTIFY
_PR_SET_PDEATHSIG = 1
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI and TIOCLINUX type into a terminal
_NEW_NAMESPACES = 0x7E020000  # the CLONE_NEW* flags that clone takes
_X32 = 0x40000000  # a second set of numbers on x86_64 that would pass by the table

_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT, _SECOND_ARGUMENT_AT, _THIRD_ARGUMENT_AT = (
    0,
    4,
    16,
    24,
    32,
)  # in struct seccomp_data, little-endian
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000

_Instruction = tuple[int, int, int, int]  # code, how many to skip if true, if false, operand


def program(machine: str = platform.machine()) -> bytes:
    """Return the filter for a machine (x86_64 or aarch64), as bwrap's --seccomp reads it. Raises SandboxUnavailable."""
    if machine not in _MACHINES:
        raise SandboxUnavailable(f"Sandboxes have no system call filter for {machine}")
    chosen = _MACHINES[machine]
    numbers = {name: row[chosen.column] for name, row in (DENIED | LOOKED_AT).items()}
    instructions: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_IF_EQUAL, 1, 0, chosen.audit_arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_AT_LEAST, 0, 1, _X32),
        _answer(errno.EPERM),
        (_IF_AT_LEAST, 0, 1, FIRST_UNKNOWN),
        _answer(errno.ENOSYS),
    ]
    for name in DENIED:
        if numbers[name] >= 0:
            instructions += _when(numbers[name], [_answer(errno.EPERM)])
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
    typed = [step for request in _TERMINAL_INPUT for step in _when(request, [_answer(errno.EPERM)])]
    instructions += _when(numbers["ioctl"], [(_LOAD, 0, 0, _SECOND_ARGUMENT_AT), *typed, _allow()])
    # no new namespaces; clone3 hides its flags in memory, and the C library does without it
    spaces = [(_IF_ANY_BIT, 0, 1, _NEW_NAMESPACES), _answer(errno.EPERM), _allow()]
    instructions += _when(numbers["clone"], [(_LOAD, 0, 0, _FIRST_ARGUMENT_AT), *spaces])
    instructions += _when(numbers["clone3"], [_answer(errno.ENOSYS)])
    # which files are cached is for all to see: nobody may forget them, nor ask without waiting (programs do without)
    instructions += _when(numbers["fadvise64"], [_answer(0)]) + _when(
        numbers["preadv2"], [_answer(errno.ENOSYS)]
    )
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in [*instructions, _allow()])


def _fcntl(number: int) -> list[_Instruction]:
    """Refuse larger pipes, and locks and watches that other sandboxes could see on files that all of them have."""
    refused = {_F_SETPIPE_SZ: errno.EPERM, **dict.fromkeys(_WATCHES, errno.EPERM)}
    refused |= dict.fromkeys(_LOCKS, errno.ENOLCK)
    commands = [one for command, answer in refused.items() for one in _when(command, [_answer(answer)])]
    return _when(number, [(_LOAD, 0, 0, _SECOND_ARGUMENT_AT), *commands, _allow()])


def docker_profile(machine: str = platform.machine()) -> str:
    """Return Docker's JSON profile for a machine: names that are allowed, native calls only. Raises SandboxUnavailable."""
    if machine not in _DOCKER_NAMES:
        raise SandboxUnavailable(f"Sandboxes have no system call filter for {machine}")
    allowed = sorted((KNOWN | LOOKED_AT.keys()) - {"clone3"})
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": errno.EPERM,
            "architectures": [_DOCKER_NAMES[machine]],
            "syscalls": [
                {"names": allowed, "action": "SCMP_ACT_ALLOW"},
                {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
            ],
        }
    )


def _when(value: int, then: list[_Instruction]) -> list[_Instruction]:
    return [(_IF_EQUAL, 0, len(then), value), *then]


def _answer(number: int) -> _Instruction:
    """End the call at once with this errno; 0 is success."""
    return (_RETURN, 0, 0, _ERRNO | number)


def _allow() -> _Instruction:
    return (_RETURN, 0, 0, _ALLOW)
