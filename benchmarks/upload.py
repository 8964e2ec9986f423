"""How much memory one upload of 500 MB takes in the web service, with blobs in a folder and in an S3-compatible store.

Run from the repository root: python benchmarks/upload.py [MB]
Everything is on the loopback interface: a real web service in a process of its own, over a fresh SQLite file, and for
the second storage a server of moto's in another process, whose own memory does not count. Each way in is tried: the
API, and the form of the page. It ends by itself; with more than 150 MB of resident memory in the service, with exit
code 1.
"""

import hashlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from app import auth  # noqa: E402  needs the path above
from app.db import unit_of_work  # noqa: E402
from app.dependencies import DEVELOPMENT_COOKIE  # noqa: E402
from app.settings import Settings  # noqa: E402
from app.storage import open_storage  # noqa: E402
from benchmarks.memory import peak_mb  # noqa: E402
from tests.object_store import ObjectStore  # noqa: E402
from tests.seeding import GOOD, World  # noqa: E402

MOST_MB = 150.0
CHUNK = 1 << 20
BOUNDARY = "lethe-upload-benchmark"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="bundle"; filename="bundle.zip"\r\n'
    "Content-Type: application/zip\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[int, int]]:
    """Start the web service with these settings; yield its port and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    told = {
        f"LETHE_{name.upper()}": str(value) for name, value in settings.model_dump(exclude_unset=True).items()
    }
    command = [sys.executable, "-m", "cli.main", "serve", "--port", str(port)]
    web = subprocess.Popen(command, env={**os.environ, **told}, cwd=ROOT)
    try:
        for _ in range(300):
            try:
                http.client.HTTPConnection("127.0.0.1", port).connect()
                break
            except ConnectionError:
                time.sleep(0.1)
        yield port, web.pid
    finally:
        web.terminate()
        web.wait(20)


def make_bundle(path: Path, megabytes: int, seed: int) -> None:
    """Write a bundle of so many MB that do not compress."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("submission.py", GOOD)
        with archive.open("data.bin", "w", force_zip64=True) as file:
            for index in range(megabytes):
                file.write(hashlib.shake_128(f"{seed} {index}".encode()).digest(10**6))


def pieces(path: Path, before: bytes, after: bytes) -> Iterator[bytes]:
    """Yield what is sent."""
    yield before
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
    yield after


def send(
    port: int, target: str, path: Path, headers: dict[str, str], *, form: bool = False
) -> tuple[int, float]:
    """Send a bundle; return the status and the seconds. The sender too keeps only a chunk in memory."""
    before, after = (HEAD, TAIL) if form else (b"", b"")
    length = len(before) + path.stat().st_size + len(after)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    start = time.perf_counter()
    connection.request(
        "POST", target, pieces(path, before, after), {**headers, "Content-Length": str(length)}
    )
    answer = connection.getresponse()
    answer.read()
    return answer.status, time.perf_counter() - start


def cookie(world: World) -> str:
    """Return a cookie of ada's; to sign in would take 64 MB for the hash of her password."""
    ada = world.user("ada")
    with unit_of_work(world.engine) as session:
        secret = auth.issue_token(session, ada, "session", "benchmark", datetime.now(UTC), timedelta(hours=1))
    return f"{DEVELOPMENT_COOKIE}={secret}"


def measure(name: str, settings: Settings, folder: Path, megabytes: int) -> bool:
    """Print a row for each way in; return whether each kept below the bound. Raises SystemExit for other answers."""
    world = World(settings.data_dir)
    world.person("ada")
    world.competition(
        closes_at="2100-01-01T00:00:00Z",
        bundle={
            "per_day": 10,
            "max_bytes": (megabytes + 10) * 10**6,
            "max_unpacked_bytes": (megabytes + 10) * 10**6,
        },
    )
    below = True
    api = ("API", "/api/v1/competitions/digits/submissions", "application/zip", 201)
    page = ("form", "/competitions/digits/submit", f"multipart/form-data; boundary={BOUNDARY}", 303)
    for seed, (way, target, kind, expected) in enumerate((api, page)):
        bundle = folder / "bundle.zip"
        make_bundle(bundle, megabytes, seed)
        with serving(settings) as (port, process), bundle.open("rb") as file:
            headers = {"Content-Type": kind, "Sec-Fetch-Site": "same-origin"}
            if way == "API":
                headers["Authorization"] = f"Bearer {world.tokens['ada']}"
            else:
                headers["Cookie"] = cookie(world)
            idle = peak_mb(process)
            status, seconds = send(port, target, bundle, headers, form=way == "form")
            if status != expected:
                raise SystemExit(f"{target} answered {status}")
            peak = peak_mb(process)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        whole = any(blob.digest == digest for blob in open_storage(settings).blobs())
        print(f"{name:<16} {way:<6} {idle:>9.0f} {peak:>9.0f} {seconds:>9.1f} {'yes' if whole else 'NO':>7}")
        below = below and whole and peak < MOST_MB
    return below


def main() -> None:
    """Print the table."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(f"one upload of {megabytes} MB; resident memory of the web service, in MB")
    print(f"{'storage':<16} {'way':<6} {'before':>9} {'peak':>9} {'seconds':>9} {'stored':>7}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for one in ("local", "remote", "server"):
            (folder / one).mkdir()
        server = ObjectStore(folder / "server")
        server.start()
        try:
            kept = [measure("local folder", Settings(data_dir=folder / "local"), folder, megabytes)]
            remote = server.settings(server.bucket(), folder / "remote")
            kept.append(measure("S3-compatible", remote, folder, megabytes))
        finally:
            server.stop()
    if not all(kept):
        raise SystemExit(f"more than {MOST_MB:g} MB, or not stored")


if __name__ == "__main__":
    main()
