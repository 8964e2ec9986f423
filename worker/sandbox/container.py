"""One container as the host holds it: its slot and folder, its death, its control group, and its line of life."""

import contextlib
import logging
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from docker.errors import DockerException, NotFound
from docker.models.containers import Container
from docker.types import Mount

from worker.sandbox.base import Limits, SandboxFault
from worker.sandbox.cgroup import CgroupMeter, group_of
from worker.sandbox.claims import folder
from worker.sandbox.command import MATERIAL
from worker.sandbox.meter import Meter, Usage
from worker.sandbox.slot import Slot
from worker.sandbox.starting import wait_readable
from worker.sandbox.watchdog import Watchdog

CONTROL = "/control"
log = logging.getLogger("lethe.worker")
_STOP_SECONDS = 30
"""For the daemon to notice that a container's first process is dead."""
_LIFELINE = "import os,signal,sys\nsys.stdin.buffer.read(1) or signal.pidfd_send_signal(int(sys.argv[1]), 9)"


@dataclass
class Place:
    """What the host holds for one container: a slot, a folder for its socket, and the container itself."""

    slot: Slot
    cleaner: ThreadPoolExecutor
    container: Container | None = None
    folder: Path = field(init=False)

    @classmethod
    def make(cls, slot: Slot, cleaner: ThreadPoolExecutor) -> "Place":
        """Make one; the slot is given back if that fails. Raises OSError, SandboxUnavailable."""
        try:
            return cls(slot, cleaner)
        except BaseException:
            slot.release()
            raise

    def __post_init__(self) -> None:
        """Make the folder afresh."""
        self.folder = folder() / f"slot-{self.slot.uid}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)

    @contextlib.contextmanager
    def listening(self) -> Iterator[socket.socket]:
        """Listen for one connection; afterwards nobody can make another."""
        path = self.folder / "control"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(path))
            path.chmod(0o666)  # the folder above is ours alone
            listener.listen(1)
            try:
                yield listener
            finally:
                path.unlink(missing_ok=True)

    def mounts(self, material: Path | None) -> list[Mount]:
        """Return the files that a container sees of the host's."""
        passwd = self.folder / "passwd"
        passwd.write_text(f"participant:x:{self.slot.uid}:{self.slot.uid}::/tmp:/bin/sh\n")
        passwd.chmod(0o444)
        seen = {CONTROL: self.folder / "control", "/etc/passwd": passwd}
        if material is not None:
            seen[MATERIAL] = material.resolve()
        return [Mount(target, str(source), type="bind", read_only=True) for target, source in seen.items()]

    def discard(self) -> None:
        """Remove the container, which takes the daemon a while, and only then give the slot back; in the background."""
        self.cleaner.submit(self._discard)

    def _discard(self) -> None:
        try:
            if self.container is not None:
                remove(self.container)
        except Exception:
            log.exception("a dead container could not be removed; the next worker's start tries again")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.slot.release()


@dataclass
class Body:
    """See worker.sandbox.session.Body."""

    place: Place
    pid: int
    pidfd: int
    control: socket.socket
    lifeline: "subprocess.Popen[bytes]" = field(init=False)
    code: int | None = None
    oom_killed: bool = False  # as the daemon saw it

    def __post_init__(self) -> None:
        """Tie the container's life to ours: the daemon would let it live on after a worker that is killed."""
        self.lifeline = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LIFELINE, str(self.pidfd)],
            stdin=subprocess.PIPE,
            pass_fds=[self.pidfd],
            cwd="/",
            process_group=0,
        )

    def meter(self, limits: Limits) -> Meter:
        """Count by the daemon's control group if we can see it."""
        group = group_of(self.pid)
        return _DockerMeter(self, CgroupMeter(group) if group else Watchdog(self.pid, limits.memory_bytes))

    def exit_code(self) -> int:
        """Return what the daemon reports. Raises SandboxFault."""
        assert self.place.container is not None
        try:
            code = int(self.place.container.wait(timeout=_STOP_SECONDS)["StatusCode"])
            self.place.container.reload()
        except (OSError, DockerException) as error:
            raise SandboxFault(f"the Docker daemon lost a container: {words(error)}") from error
        self.oom_killed = bool(self.place.container.attrs["State"]["OOMKilled"])
        return code

    def discard(self) -> None:
        """Let go of the lifeline, then of everything else."""
        with contextlib.suppress(OSError):
            self.lifeline.communicate(b"x")
        self.place.discard()


@dataclass(frozen=True)
class _DockerMeter:
    """A Meter that also asks the daemon: it removes a dead container's group before we may have looked."""

    body: Body
    inner: Meter

    def start(self) -> None:
        """Count from here on."""
        self.inner.start()

    def look(self) -> Usage:
        """Return what is used now."""
        return self.inner.look()

    def killed_for_memory(self) -> bool:
        """Tell whether either saw it."""
        return self.inner.killed_for_memory() or self.body.oom_killed


def connected(place: Place, listener: socket.socket, deadline: float) -> Body:
    """Take the connection of the container's first process; of nobody else. Raises SandboxFault, OSError."""
    assert place.container is not None
    pid = int(place.container.attrs["State"]["Pid"])
    if pid == 0:
        raise SandboxFault("the container ended at once")
    with contextlib.ExitStack() as undo:
        pidfd = os.pidfd_open(pid)
        undo.callback(os.close, pidfd)
        wait_readable(listener.fileno(), deadline, pidfd)
        listener.setblocking(False)
        control, _ = listener.accept()
        undo.callback(control.close)
        control.setblocking(True)
        peer, _, _ = struct.unpack("3i", control.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if peer != pid:
            raise SandboxFault(
                f"the container's first process is {pid} to Docker and {peer} to us: "
                "a worker in a container needs the host's process ids (--pid host)"
            )
        body = Body(place, pid, pidfd, control)
        undo.pop_all()
    return body


def remove(container: Container) -> None:
    """Remove a container, dead or alive; a daemon that is busy with it is asked again. Raises what it says at last."""
    for pause in (0.5, 2.0, None):
        try:
            container.remove(force=True, v=True)
        except NotFound:
            return
        except (OSError, DockerException):
            if pause is None:
                raise
            time.sleep(pause)
        else:
            return


def words(error: Exception) -> str:
    """Return what the daemon said, or else what happened, in one line."""
    return " ".join(str(getattr(error, "explanation", None) or error).split())
