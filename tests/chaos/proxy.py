"""A way to PostgreSQL that breaks when told to: at the COMMIT of a chosen transition, or everywhere at once."""

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

_SIZE = 1 << 16
_COMMIT = b"COMMIT\0"
_ENDS = (_COMMIT, b"ROLLBACK\0")


@dataclass(eq=False)
class _Connection:
    """Both ends of one connection, and what its transaction has said so far."""

    client: socket.socket
    server: socket.socket
    said: bytes = b""
    at_answer: Callable[[], None] | None = (
        None  # to be done when the answer to a COMMIT comes; then it is cut
    )

    def cut(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Proxy:
    """Listens on loopback, and passes everything on to a PostgreSQL's Unix socket.

    `arm` cuts the next connection that is about to commit a transaction which names an event's kind: before the
    database hears of the COMMIT, or after it has answered and before the client hears of that.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: set[_Connection] = set()
        self._armed: tuple[bytes, str, Callable[[], None]] | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, kind: str, when: str, also: Callable[[], None] = lambda: None) -> None:
        """Cut at the next COMMIT of a transaction that writes an event of this kind, "before" or "after" it.

        `also` is called just before the cut.
        """
        with self._lock:
            self._armed = (kind.encode(), when, also)

    def struck(self) -> bool:
        """Tell whether what was armed has happened."""
        with self._lock:
            return self._armed is None

    def cut_all(self) -> int:
        """Cut every connection; return how many there were."""
        with self._lock:
            found = list(self._open)
        for one in found:
            one.cut()
        return len(found)

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._path)
            except OSError:  # the database is away
                client.close()
                server.close()
                continue
            one = _Connection(client, server)
            with self._lock:
                self._open.add(one)
            for pump in (self._to_server, self._to_client):
                threading.Thread(target=self._pump, args=(pump, one), daemon=True).start()

    def _pump(self, pump, one: _Connection) -> None:
        with suppress(OSError):
            pump(one)
        one.cut()
        with self._lock:
            self._open.discard(one)

    def _to_server(self, one: _Connection) -> None:
        while data := one.client.recv(_SIZE):
            one.said += data
            if one.said.endswith(_COMMIT):
                when, also = self._take(one.said)
                if when == "before":
                    also()
                    return
                one.at_answer = also if when == "after" else None
            if one.said.endswith(_ENDS):
                one.said = b""
            one.server.sendall(data)

    def _to_client(self, one: _Connection) -> None:
        while data := one.server.recv(_SIZE):
            if one.at_answer is not None:
                one.at_answer()
                return
            one.client.sendall(data)

    def _take(self, said: bytes) -> tuple[str, Callable[[], None]]:
        with self._lock:
            if self._armed is None or not re.search(re.escape(self._armed[0]) + rb"(?!\w)", said):
                return "never", lambda: None
            (_, when, also), self._armed = self._armed, None
            return when, also
