"""Whether a web process can do all of its work just now: what a load balancer asks."""

import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from urllib.parse import urlsplit

from sqlalchemy import Engine

from app.db import DATABASE_AWAY, is_migrated, read_only
from app.storage import Storage
from app.views import operations

log = logging.getLogger("lethe.web")

KEPT_SECONDS = 2.0
_BROKER_SECONDS = 1.0
_PROBE = b"Lethe writes this to see whether it can write.\n"


@dataclass(frozen=True)
class Check:
    """One thing that was tried: "ok", or what is wrong in words for anybody."""

    name: str
    found: str
    needed: bool = True

    @property
    def ok(self) -> bool:
        """Whether it holds."""
        return self.found == "ok"


class Readiness:
    """Tries everything, at most once in two seconds however many ask. The causes go to the log alone."""

    def __init__(self, engine: Engine, storage: Storage, uploads: Path, broker_url: str) -> None:
        self._engine = engine
        self._storage = storage
        self._uploads = uploads
        self._broker_url = broker_url
        self._lock = Lock()
        self._kept: tuple[Check, ...] = ()
        self._until = float("-inf")

    def checks(self) -> tuple[Check, ...]:
        """Return what was found, now or less than two seconds ago; while somebody tries, what was found before that."""
        if not self._lock.acquire(blocking=not self._kept):
            return self._kept
        try:
            if time.monotonic() >= self._until:
                self._kept = tuple(self._try())
                self._until = time.monotonic() + KEPT_SECONDS
            return self._kept
        finally:
            self._lock.release()

    def _try(self) -> list[Check]:
        found = [
            Check("database", self._database()),
            Check("storage", _words(self._write, "cannot be written")),
        ]
        if self._broker_url:
            # workers look by themselves: without it they only learn of work later
            found.append(Check("broker", _words(self._call, "cannot be reached"), needed=False))
        return found

    def _database(self) -> str:
        try:
            if not is_migrated(self._engine):
                return "does not have this version's tables"
            with read_only(self._engine) as session:
                operations.ping(session)
        except DATABASE_AWAY as error:
            log.warning("not ready: no database: %s", error)
            return "does not answer"
        return "ok"

    def _write(self) -> None:
        self._storage.put(_PROBE)
        self._uploads.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=self._uploads) as file:
            file.write(_PROBE)

    def _call(self) -> None:
        parts = urlsplit(self._broker_url)
        address = (parts.hostname or "localhost", parts.port or 6379)
        socket.create_connection(address, timeout=_BROKER_SECONDS).close()


def _words(act: Callable[[], None], failure: str) -> str:
    try:
        act()
    except OSError as error:
        log.warning("not ready: %s: %s", failure, error)
        return failure
    return "ok"
