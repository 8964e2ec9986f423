"""How much one web process serves, beside a bare FastAPI application in the same run.

Run from the repository root: python benchmarks/service.py [--seconds 5] [--postgres URL]
Everything is on the loopback interface and on fresh data: 10,000 scored submissions of 100 people. Each row is asked by
64 connections for so many seconds, after one second to warm up; it ends by itself within some two minutes. The
asker needs a core of its own: where its share is near 1, it was the limit.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from crowd import crowded  # noqa: E402  needs the path above
from load import CONNECTIONS, Measured, measure, request  # noqa: E402

from tests.bundles import zipped  # noqa: E402
from tests.seeding import GOOD, Clock, World  # noqa: E402

BOARD = "/api/v1/competitions/digits/leaderboard"
DOOR = "/api/v1/competitions/digits/submissions"
UPLOADERS = 8
"""At once: each upload is a transaction that syncs to disk, and SQLite takes one after the other."""
WARM_UP = 1.0
GOAL_SHARE, GOAL_P99 = 0.5, 60.0
Makers = list[Callable[[], bytes]]


@contextmanager
def started(command: list[str], path: str, **environment: str) -> Iterator[tuple[int, int]]:
    """Start a server, which gets a port as its last argument; yield its port and process id once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, *command, str(port)],
        env={**os.environ, "LETHE_ENVIRONMENT": "production", **environment},
        cwd=ROOT,
        stderr=subprocess.DEVNULL,  # what is logged is written all the same
    )
    try:
        for _ in range(600):
            try:
                httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield port, server.pid
    finally:
        server.terminate()
        server.wait(30)


def resident_mb(process: int) -> float:
    """Return what a process has in memory now, in MB (10**6 bytes)."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / 1e6


class Table:
    """Measures and prints row by row; remembers which goals were missed."""

    def __init__(self, lethe: int, process: int, bare: int, seconds: float) -> None:
        self._lethe, self._process, self._bare, self._seconds = lethe, process, bare, seconds
        self.missed: list[str] = []
        heads = ("a second", "p50 ms", "p99 ms", "asker", "bare", "share", "MB")
        print(f"{'':<36}" + "".join(f"{head:>10}" for head in heads))

    def row(self, name: str, makers: Makers, bare: bytes, expected: int, *, goal: bool = True) -> None:
        """Measure the bare endpoint, then Lethe's; print them side by side. Raises SystemExit for another status."""
        ceiling = self._measured(self._bare, [lambda: bare] * len(makers))
        found = self._measured(self._lethe, makers)
        if set(found.statuses) != {expected}:
            raise SystemExit(f"{name}: expected {expected}, got {dict(found.statuses)}")
        share = found.rate / ceiling.rate
        print(
            f"{name:<36}{found.rate:>10.0f}{found.p50:>10.1f}{found.p99:>10.1f}{found.asker:>10.2f}"
            f"{ceiling.rate:>10.0f}{share:>10.2f}{resident_mb(self._process):>10.0f}",
            flush=True,
        )
        if goal and (share < GOAL_SHARE or found.p99 > GOAL_P99):
            self.missed.append(name)

    def _measured(self, port: int, makers: Makers) -> Measured:
        measure(port, makers, WARM_UP)
        return measure(port, makers, self._seconds)


def polled(port: int, secrets: list[str]) -> list[tuple[str, dict[str, str], str]]:
    """Submit once for each connection; return path, headers and ETag of each."""
    found = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        for secret in secrets[:CONNECTIONS]:
            mine = {"Authorization": f"Bearer {secret}"}
            path = (
                client.post(DOOR, content=zipped(GOOD), headers=mine).raise_for_status().headers["Location"]
            )
            found.append((path, mine, client.get(path, headers=mine).headers["ETag"]))
    return found


def uploads(secrets: list[str]) -> Makers:
    """Return makers of uploads, no two alike."""
    number = count()

    def make(secret: str) -> bytes:
        body = zipped(f"{GOOD}# {next(number)}\n")
        return request("POST", DOOR, {"Authorization": f"Bearer {secret}"}, body)

    return [lambda secret=secret: make(secret) for secret in secrets[:UPLOADERS]]  # type: ignore[misc]


def always(requests: list[bytes]) -> Makers:
    """Return makers that each say the same again and again."""
    return [lambda one=one: one for one in requests]  # type: ignore[misc]


def body_size(port: int, path: str, headers: dict[str, str]) -> int:
    """Return how many bytes an answer has."""
    return len(httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, trust_env=False).content)


def rows(table: Table, port: int, secrets: list[str], mine: list[tuple[str, dict[str, str], str]]) -> None:
    """Measure everything."""
    known = [request("GET", path, {**who, "If-None-Match": etag}) for path, who, etag in mine]
    whole = [request("GET", path, who) for path, who, _ in mine]
    board = [request("GET", BOARD, {})] * CONNECTIONS
    small = request("GET", "/dict", {})
    poll_size, board_size = body_size(port, *mine[0][:2]), body_size(port, BOARD, {})
    table.row("poll, unchanged: 304", always(known), small, 304)
    table.row("poll, in full", always(whole), small, 200)
    sized = request("GET", f"/bytes/{poll_size}", {})
    table.row(f"  beside {poll_size / 1000:.1f} kB ready", always(whole), sized, 200)
    table.row("leaderboard", always(board), small, 200)
    sized = request("GET", f"/bytes/{board_size}", {})
    table.row(f"  beside {board_size / 1000:.1f} kB ready", always(board), sized, 200)
    thrown = request("POST", "/upload", {}, zipped(GOOD))
    table.row(f"upload, {UPLOADERS} at once", uploads(secrets), thrown, 201, goal=False)
    table.row("poll, unchanged, after uploads", always(known), small, 304)


def main() -> None:
    """Print the table, the memory at begin and end, and what missed its goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each row")
    parser.add_argument(
        "--postgres", default="", help="URL of an empty database [default: a fresh SQLite file]"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), Clock(datetime.now(UTC)), url=options.postgres)
        secrets = crowded(world)
        environment = {"LETHE_DATA_DIR": folder, "LETHE_DATABASE_URL": world.url}
        web = ["-m", "cli.main", "serve", "--port"]
        with (
            started(["benchmarks/bare.py"], "/dict") as (bare, _),
            started(web, "/healthz", **environment) as (port, process),
        ):
            table = Table(port, process, bare, options.seconds)
            mine = polled(port, secrets)
            body_size(port, BOARD, {})
            measure(port, uploads(secrets), WARM_UP)
            began = resident_mb(process)
            rows(table, port, secrets, mine)
            print(
                f"\nresident memory: {began:.0f} MB at the beginning, {resident_mb(process):.0f} MB at the end"
            )
    missed = ", ".join(name.strip() for name in table.missed) or "none"
    print(f"goals (at least {GOAL_SHARE} of bare, p99 under {GOAL_P99:.0f} ms) missed: {missed}")


if __name__ == "__main__":
    main()
