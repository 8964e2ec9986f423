"""Lethe on servers, in small: PostgreSQL behind a proxy, Redis, web processes and workers, each started again when it dies."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from app.db import make_engine
from app.storage import LocalStorage
from tests.chaos.armed import Armed
from tests.chaos.proxy import Proxy
from tests.conftest import PostgresCluster
from tests.processes import ROOT, TIED, Redis, free_port, wait_until
from worker import weights
from worker.material import fetch

LEASE_SECONDS = 4.0
REAP_SECONDS = 1.0
DISK_BYTES = 256 << 20
UIDS = range(250_000, 251_000)
TINY = ROOT / "tests/fixtures/tiny"


@dataclass
class Kept:
    """A process that is started again when it dies."""

    command: list[str]
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = field(default=0)


class Site:
    """Everything that makes up one installation. `fake` workers only play; else sandboxes are real."""

    def __init__(self, folder: Path, *, webs: int = 2, workers: int = 3, fake: bool = True) -> None:
        self.folder = folder
        self.data = folder / "data"
        folder.chmod(0o711)  # sandboxes pass through
        self.postgres = PostgresCluster()
        self.redis = Redis()
        self.faults = {role: Armed(folder / "faults" / role) for role in ("web", "worker")}
        self.ports = [free_port() for _ in range(webs)]
        self._workers = [f"w{number}" for number in range(workers)]
        self._role = "fake" if fake else "worker"
        self._kept: dict[str, Kept] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        self.data.mkdir(mode=0o711)
        self.on_own_disk = os.geteuid() == 0 and self._mount()
        self.postgres.start()
        self.redis.start()
        self.proxy = Proxy(str(self.postgres.folder / ".s.PGSQL.5432"))
        self.environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "LETHE_FRESH_SECONDS": "0.2",
            "LETHE_DATA_DIR": str(self.data),
            "LETHE_COMPETITIONS_DIR": str(self._competitions()),
            "LETHE_DATABASE_URL": f"postgresql+psycopg://lethe@127.0.0.1:{self.proxy.port}/postgres?sslmode=disable",
            "LETHE_BROKER_URL": self.redis.url,
            "LETHE_LEASE_SECONDS": str(LEASE_SECONDS),
            "LETHE_REAP_SECONDS": str(REAP_SECONDS),
            "LETHE_SANDBOX_UID_BASE": str(UIDS.start),
        }
        self.engine = make_engine(self.postgres.url)
        self.storage = LocalStorage(self.data / "blobs")
        for words in (["migrate"], ["competition", "prepare", "tiny"]):
            self.lethe(*words)
        self._keep_all()

    def _competitions(self) -> Path:
        folder = self.folder / "competitions"
        config = shutil.copytree(TINY, folder / "tiny") / "competition.toml"
        config.write_text(config.read_text().replace("per_day = 50", "per_day = 1000"))
        return folder

    def _mount(self) -> bool:
        """Give the data a disk of its own, so small that it can be filled."""
        words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=711", "tmpfs", str(self.data)]
        return subprocess.run(words, check=False, capture_output=True).returncode == 0

    def lethe(self, *words: str) -> None:
        """Run a command of an operator to its end."""
        command = [sys.executable, "-m", "cli.main", *words]
        subprocess.run(command, env=self.environment, cwd=ROOT, check=True, timeout=300, capture_output=True)

    def _keep_all(self) -> None:
        material = fetch(self.storage, self._reference(), self.data / "cache")
        (self.folder / "output").write_bytes(weights.serialise(material.original()))
        for number, port in enumerate(self.ports):
            self._keep(f"web{number}", "web", "--port", str(port))
        for name in self._workers:
            self._keep(name, self._role)
        threading.Thread(target=self._watch, daemon=True).start()

    def _reference(self) -> str:
        from app import registry  # noqa: PLC0415 - only here
        from app.db import read_only  # noqa: PLC0415

        with read_only(self.engine) as session:
            competition = registry.get_competition(session, "tiny")
            return registry.current_reference(session, competition, "public").digest

    def _keep(self, name: str, role: str, *rest: str) -> None:
        command = [sys.executable, "-m", "tests.chaos.process", role, name, str(self.folder), *rest]
        self._kept[name] = Kept(command)
        self._run(name)

    def _run(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            words = [*TIED, *self._kept[name].command]
            self._kept[name].process = subprocess.Popen(
                words, cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def _watch(self) -> None:
        while not self._closing.wait(0.1):
            with self._lock:
                for name, kept in self._kept.items():
                    if kept.process is not None and kept.process.poll() is not None:
                        kept.deaths += 1
                        self._run(name)

    def pid(self, name: str) -> int:
        """Return a process's id."""
        process = self._kept[name].process
        assert process is not None
        return process.pid

    def kill(self, name: str) -> None:
        """Kill a process; it is started again."""
        os.kill(self.pid(name), signal.SIGKILL)

    def bring_postgres_back(self, away_seconds: float) -> None:
        """Start the database again that was killed, after a while."""
        time.sleep(away_seconds)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.postgres.serve()
            except RuntimeError:  # the last of its processes still hold the memory
                assert time.monotonic() < deadline
                time.sleep(0.2)
            else:
                return

    @property
    def deaths(self) -> int:
        """How many processes have been started again."""
        return sum(kept.deaths for kept in self._kept.values())

    def stop_processes(self) -> None:
        """Stop web processes and workers as an operator would."""
        self._closing.set()
        with self._lock:
            running = [kept.process for kept in self._kept.values() if kept.process is not None]
        for process in running:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in running:
            try:
                process.wait(180)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    def close(self) -> None:
        """End everything that was started, whatever of it fails."""
        with ExitStack() as ends:
            if getattr(self, "on_own_disk", False):
                ends.callback(subprocess.run, ["umount", "--lazy", str(self.data)], check=False)
            ends.callback(self.postgres.stop)
            if hasattr(self.redis, "process"):
                ends.callback(self.redis.close)
            if hasattr(self, "proxy"):
                ends.callback(self.proxy.close)
                ends.callback(self.engine.dispose)
            if not self._closing.is_set():
                ends.callback(self.stop_processes)

    def wait_for_workers(self) -> None:
        """Wait until every worker has told of itself."""
        from sqlalchemy import func, select  # noqa: PLC0415 - only here

        from app.db import read_only  # noqa: PLC0415
        from app.models import Worker  # noqa: PLC0415

        def all_there() -> bool:
            with read_only(self.engine) as session:
                return session.scalar(select(func.count(Worker.name))) == len(self._workers)

        wait_until(all_there, 120)
