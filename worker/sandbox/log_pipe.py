"""What a run on public data prints: a pipe that the host empties without ever waiting, and of which it keeps both ends."""

import contextlib
import fcntl
import os
from collections.abc import Callable
from types import TracebackType
from typing import Self

from worker.sandbox.base import Log

PIPE_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 16


class Kept:
    """The first half and the last half of `limit_bytes` of a stream, and how much came between them."""

    def __init__(self, limit_bytes: int) -> None:
        self._head_bytes = limit_bytes - limit_bytes // 2
        self._tail_bytes = limit_bytes // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, data: bytes) -> None:
        """Take what comes next; memory stays within the limit."""
        room = self._head_bytes - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        surplus = max(0, len(self._tail) - self._tail_bytes)
        del self._tail[:surplus]
        self._dropped += surplus

    def log(self) -> Log:
        """Return what was kept so far."""
        gap = b"\n[... %d bytes are left out here ...]\n" % self._dropped if self._dropped else b""
        return Log(bytes(self._head) + gap + bytes(self._tail), self._dropped)


class LogPipe:
    """A pipe for one run. Its write end goes into the sandbox; use it as a context manager, which closes what is open.

    `printed` hears all that is kept so far whenever there is more.
    """

    def __init__(self, limit_bytes: int, printed: Callable[[Log], None]) -> None:
        self._kept = Kept(limit_bytes)
        self._printed = printed
        self._read_fd, self.write_fd = os.pipe()
        self._open = {self._read_fd, self.write_fd}
        os.set_blocking(self._read_fd, False)
        with contextlib.suppress(OSError):  # an ordinary user may be over their share: then it is smaller
            fcntl.fcntl(self.write_fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for descriptor in list(self._open):
            self._close(descriptor)

    def given(self) -> None:
        """Close our copy of the write end, once the sandbox has its own."""
        self._close(self.write_fd)

    def drain(self) -> None:
        """Take what is there, but no more than a full pipe at once: who prints without end does not hold the host."""
        left = PIPE_BYTES
        while left > 0 and (chunk := self._read()):
            self._kept.add(chunk)
            left -= len(chunk)
        if left < PIPE_BYTES:
            self._printed(self._kept.log())

    def _read(self) -> bytes:
        try:
            return os.read(self._read_fd, _CHUNK_BYTES)
        except BlockingIOError:
            return b""

    def finish(self) -> Log:
        """Take what the dead left in the pipe, and return the log."""
        self.drain()
        return self._kept.log()

    def _close(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.remove(descriptor)
            os.close(descriptor)
