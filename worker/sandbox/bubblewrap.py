"""Sandboxes on one machine with no daemon: bubblewrap, unprivileged user namespaces, control groups where there are any.

What it does not do: it shares the host's kernel, and it suits participants one trusts somewhat. It runs on the CPU only.
Without control groups each process has an address-space limit of the memory limit plus what an idle torch reserves, and a
watchdog sums up the processes' resident memory every 20 ms and kills; a burst can overshoot by what is touched in that
time. Shared memory that was touched and put away again is then seen twice a second, /tmp and /dev/shm have a size cap
each but no cap on the number of files, and what waits in pipes and sockets is bounded only by the number of descriptors.
"""

import contextlib
import json
import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from worker.sandbox import probe, seccomp
from worker.sandbox.base import Limits, SandboxFault, SandboxSpec, SandboxUnavailable
from worker.sandbox.cgroup import CgroupMeter, Cgroups
from worker.sandbox.command import (
    INSTALL,
    MATERIAL,
    PACKAGES,
    RUNNER,
    Channels,
    Drop,
    Host,
    Mounts,
    command,
    find_host,
    require_tools,
)
from worker.sandbox.memfd import sealed_input
from worker.sandbox.session import WatchedSandbox
from worker.sandbox.slot import Slot, clear_leftovers, take_slot
from worker.sandbox.starting import die_first, file_rlimits, wait_for_ready, wait_readable
from worker.sandbox.watchdog import Watchdog

TORCH_ADDRESS_SPACE = 1 << 30
_REAP_SECONDS = 30.0
_PASSWD = b"participant:x:1000:1000::/tmp:/bin/sh\n"
_RUNNER = Path(__file__).with_name("runner.py")


@dataclass(frozen=True)
class _Started:
    """A process just spawned, with our end of its pipe."""

    process: subprocess.Popen[bytes]
    info_fd: int
    errors_fd: int


class Bubblewrap:
    """Starts sandboxes with bwrap. As root, each one alive on this machine has a uid of its own, from `uid_base` on."""

    name = identity = "bubblewrap"

    def __init__(
        self, uid_base: int = 210_000, start_seconds: float = 120.0, *, use_cgroups: bool = True
    ) -> None:
        self._uid_base = uid_base
        self._start_seconds = start_seconds
        self.groups = Cgroups.find() if use_cgroups else None
        # --die-with-parent follows the thread that spawned the sandbox: this one lives as long as the back end
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="sandbox-spawner")

    def probe(self) -> None:
        """Raise SandboxUnavailable, naming what failed and what to install, unless a sandbox here holds."""
        require_tools(as_root=os.geteuid() == 0)
        try:
            if os.geteuid() == 0:
                clear_leftovers(self.groups)
            answer, errors = self._ask()
        except OSError as error:
            raise SandboxUnavailable(f"Sandboxes do not work here: {error}. {INSTALL}") from error
        hint = f"{errors or 'no answer'} (the kernel must allow unprivileged user namespaces)"
        probe.judge(answer, hint, INSTALL)

    def _ask(self) -> tuple[bytes, str]:
        """Run the probe in a sandbox that holds nothing else; return what it printed and what bwrap complained about."""
        host = find_host()
        slot = take_slot(self._uid_base, self.groups, probe.LIMITS)
        try:
            script = probe.script(self._rlimits(probe.LIMITS, torch=False))
            inside = [str(host.interpreter), "-I", "-B", "-S", "-c", script]
            started = self._spawn(host, Mounts(None, 1 << 20), inside, slot, stdout=subprocess.PIPE)
            try:
                answer, _ = started.process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                started.process.kill()
                answer, _ = started.process.communicate()
            return answer, _close_and_read(started)
        finally:
            slot.release()

    def start(self, spec: SandboxSpec) -> WatchedSandbox:
        """Start a sandbox and block until it is READY. Raises SandboxFault."""
        if spec.device != "cpu":
            raise SandboxUnavailable(f"bubblewrap sandboxes run on the CPU only, not on {spec.device}")
        require_tools(as_root=os.geteuid() == 0)
        slot: Slot | None = None
        try:
            slot = take_slot(self._uid_base, self.groups, spec.limits)
            return self._start(spec, slot)
        except BaseException as error:
            if slot is not None:
                slot.release()
            if isinstance(error, OSError):
                raise SandboxFault(f"a sandbox could not be started: {error}") from error
            raise

    def close(self) -> None:
        """Nothing is left of a sandbox that is dead."""

    def _start(self, spec: SandboxSpec, slot: Slot) -> WatchedSandbox:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        data = [(sealed_input(_RUNNER.read_bytes()), RUNNER), (sealed_input(_PASSWD), "/etc/passwd")]
        try:
            host = find_host()
            settings = self._settings(spec, theirs.fileno())
            inside = [str(host.interpreter), "-I", "-B", RUNNER, settings]
            mounts = Mounts(spec.material, spec.limits.tmp_bytes, data)
            started = self._spawn(host, mounts, inside, slot, keep=theirs.fileno())
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            for descriptor, _ in data:
                os.close(descriptor)
        return self._until_ready(spec, slot, started, ours)

    def _spawn(
        self,
        host: Host,
        mounts: Mounts,
        inside: list[str],
        slot: Slot,
        *,
        keep: int | None = None,
        stdout: int = subprocess.DEVNULL,
    ) -> _Started:
        refused = sealed_input(seccomp.program())
        info, info_child = os.pipe()
        errors = os.memfd_create("errors", os.MFD_CLOEXEC)
        inherited = [info_child, refused, *(fd for fd, _ in mounts.data), *([] if keep is None else [keep])]
        drop = Drop(slot.uid, slot.group.entrances if slot.group else ())
        try:
            process = self._spawner.submit(
                subprocess.Popen[bytes],
                command(host, mounts, inside, Channels(info_child, refused), drop),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=errors,
                pass_fds=inherited,
                cwd="/",
                process_group=0,  # Ctrl-C in the worker's terminal is for the worker
            ).result()
        except BaseException:
            os.close(info)
            os.close(errors)
            raise
        finally:
            os.close(info_child)
            os.close(refused)
        return _Started(process, info, errors)

    def _until_ready(
        self, spec: SandboxSpec, slot: Slot, started: _Started, control: socket.socket
    ) -> WatchedSandbox:
        deadline = time.monotonic() + self._start_seconds
        pidfd = -1
        try:
            pid = _child_pid(started.info_fd, deadline)
            pidfd = os.pidfd_open(pid)
            die_first(pid)
            wait_for_ready(control, deadline)
        except (OSError, ValueError, SandboxFault) as error:
            started.process.kill()  # --die-with-parent takes the rest along
            started.process.wait()
            control.close()
            if pidfd >= 0:
                os.close(pidfd)
            raise SandboxFault(
                f"a sandbox did not start: {error} {_close_and_read(started)}".strip()
            ) from error
        _close_and_read(started)
        body = _Body(started.process, pid, pidfd, control, slot, self)
        meter = CgroupMeter(slot.group) if slot.group else Watchdog(pid, spec.limits.memory_bytes)
        return WatchedSandbox(body, meter, spec.limits)

    def _settings(self, spec: SandboxSpec, control_fd: int) -> str:
        return json.dumps(
            {
                "control": control_fd,
                "material": MATERIAL,
                "packages": PACKAGES,
                "bundle_folder": "/tmp/bundle",  # noqa: S108 - the sandbox's own
                "device": spec.device,
                "threads": spec.limits.threads,
                "rlimits": self._rlimits(spec.limits),
            }
        )

    def _rlimits(self, limits: Limits, *, torch: bool = True) -> dict[str, int]:
        """Limits set inside for good before READY; set there, the count of processes is the namespace's own."""
        address_space = limits.memory_bytes + (TORCH_ADDRESS_SPACE if torch else 0)
        return {
            **({} if self.groups else {"RLIMIT_AS": address_space}),
            "RLIMIT_NPROC": limits.processes,
            **file_rlimits(limits),
        }


@dataclass(frozen=True)
class _Body:
    """See worker.sandbox.session.Body."""

    process: subprocess.Popen[bytes]  # bwrap, outside
    pid: int
    pidfd: int
    control: socket.socket
    slot: Slot
    backend: Bubblewrap  # keeps the thread that spawned the sandbox alive

    def exit_code(self) -> int:
        """Return what bwrap reports. Raises SandboxFault if it was ended from outside: nobody inside can reach it."""
        code = self.process.wait()
        if code < 0:
            raise SandboxFault(f"bwrap was ended from outside by signal {-code}")
        return code

    def discard(self) -> None:
        """Reap bwrap and give the slot back; what cannot be killed keeps it, and holds up nobody."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=_REAP_SECONDS)
            self.slot.release()


def _child_pid(info_fd: int, deadline: float) -> int:
    """Read what bwrap tells about its child: the sandbox's pid 1, by the host's number."""
    said = b""
    while not said.rstrip().endswith(b"}"):
        wait_readable(info_fd, deadline)
        chunk = os.read(info_fd, 4096)
        if not chunk:
            raise SandboxFault("bwrap ended at once;")
        said += chunk
    return int(json.loads(said)["child-pid"])


def _close_and_read(started: _Started) -> str:
    """Close what only a start needs; return what bwrap and its helpers complained about."""
    errors = os.pread(started.errors_fd, 4000, 0).decode(errors="replace").strip()
    os.close(started.info_fd)
    os.close(started.errors_fd)
    return errors
