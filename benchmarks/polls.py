"""How many polls a second one web process answers, beside /healthz in the same run.

Run from the repository root: python benchmarks/polls.py
Everything is on the loopback interface: the web service in a process of its own over a fresh SQLite file, and a few
connections that ask in turn. It ends by itself.
"""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.seeding import World, populate  # noqa: E402  needs the path above

CONNECTIONS = 4
REQUESTS = 200  # on each connection


@contextmanager
def served(data_dir: Path) -> Iterator[int]:
    """Start the web service over a data folder; yield its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {**os.environ, "LETHE_DATA_DIR": str(data_dir)}
    command = [sys.executable, "-m", "cli.main", "serve", "--port", str(port)]
    web = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                ask(http.client.HTTPConnection("127.0.0.1", port), "/healthz", {})
                break
            except ConnectionError:
                time.sleep(0.1)
        yield port
    finally:
        web.terminate()
        web.wait(20)


def ask(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Send one GET; return its status and ETag."""
    connection.request("GET", path, headers=headers)
    # a delayed acknowledgement (40 ms) would hide the service's own time
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers.get("ETag", "")


def rate(port: int, path: str, headers: dict[str, str], expected: int) -> float:
    """Return requests a second over all connections. Raises SystemExit for an answer that was not expected."""

    def many(_index: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(REQUESTS):
            status, _ = ask(connection, path, headers)
            if status != expected:
                raise SystemExit(f"{path} answered {status}")
        connection.close()

    many(0)  # warm up
    start = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(many, range(CONNECTIONS)))
    return CONNECTIONS * REQUESTS / (time.perf_counter() - start)


def main() -> None:
    """Print a row for each path: requests a second, and its share of /healthz."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        ids = populate(world)
        mine = {"Authorization": f"Bearer {world.tokens['ada']}"}
        board = "/api/v1/competitions/digits/leaderboard"
        running, scored = (f"/api/v1/submissions/{ids[name]}" for name in ("running", "scored"))
        with served(world.data_dir) as port:
            first = http.client.HTTPConnection("127.0.0.1", port)
            known = {path: {**mine, "If-None-Match": ask(first, path, mine)[1]} for path in (running, scored)}
            rows: tuple[tuple[str, str, dict[str, str], int], ...] = (
                ("/healthz", "/healthz", {}, 200),
                ("running submission, unchanged: 304", running, known[running], 304),
                ("scored submission, unchanged: 304", scored, known[scored], 304),
                ("running submission, in full", running, mine, 200),
                ("leaderboard, JSON", board, {}, 200),
                ("leaderboard, CSV", f"{board}.csv", {}, 200),
            )
            health = 0.0
            print(f"{'':<36} {'a second':>9} {'of /healthz':>12}")
            for name, path, headers, expected in rows:
                found = rate(port, path, headers, expected)
                health = health or found
                print(f"{name:<36} {found:>9.0f} {found / health:>12.2f}")


if __name__ == "__main__":
    main()
