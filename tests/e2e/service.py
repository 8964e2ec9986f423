"""Starts Lethe's own processes for a test, on a tiny competition, and talks to them over HTTP."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import select

from app import auth
from app.db import make_engine, unit_of_work
from app.models import Evaluation, Run
from tests.seeding import PASSWORD

ROOT = Path(__file__).parents[2]
LETHE = [sys.executable, "-m", "cli.main"]


class Service:
    """A web process and a worker process over one data folder."""

    def __init__(self, data_dir: Path, competitions: Path) -> None:
        self.data_dir, self.competitions = data_dir, competitions
        self.environment = {
            **os.environ,
            "LETHE_DATA_DIR": str(data_dir),
            "LETHE_COMPETITIONS_DIR": str(competitions),
            "LETHE_LEASE_SECONDS": "3",
            "LETHE_REAP_SECONDS": "1",
            "LETHE_POLL_SECONDS": "0.1",
            "LETHE_REGISTRATION": "open",
        }
        self.engine = make_engine(f"sqlite:///{data_dir.resolve() / 'lethe.db'}")

    @classmethod
    @contextmanager
    def prepared(cls, data_dir: Path, competitions: Path = ROOT / "tests/fixtures"):
        service = cls(data_dir, competitions)
        service.lethe("migrate")
        service.lethe("competition", "prepare", "tiny")
        service.admin_token, service.token = service.add_people()
        service.start_web()
        service.start_worker()
        try:
            yield service
        finally:
            service.stop()

    def lethe(self, *arguments: str) -> None:
        """Run one of the operator's commands."""
        subprocess.run([*LETHE, *arguments], env=self.environment, cwd=ROOT, check=True, timeout=300)

    def add_people(self) -> tuple[str, str]:
        now = datetime.now(UTC)
        with unit_of_work(self.engine) as session:
            return tuple(
                auth.issue_token(
                    session,
                    auth.create_user(session, name, PASSWORD, role, now),
                    "api",
                    "t",
                    now,
                    None,
                )
                for name, role in (("root", "admin"), ("ada", "participant"))
            )

    def start_web(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.web = subprocess.Popen([*LETHE, "serve", "--port", str(port)], env=self.environment, cwd=ROOT)
        self.client = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=30
        )
        self.admin = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.admin_token}"}, timeout=30
        )
        self.wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            return self.client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def start_worker(self) -> None:
        self.worker = subprocess.Popen([*LETHE, "worker"], env=self.environment, cwd=ROOT)

    def stop(self) -> None:
        for process in (self.worker, self.web):
            process.terminate()
        for process in (self.worker, self.web):
            process.wait(180)

    def submit(self, data: bytes, **headers: str) -> httpx.Response:
        return self.client.post("/api/v1/competitions/tiny/submissions", content=data, headers=headers)

    def read(self, location: str) -> dict:
        answer = self.client.get(location)
        answer.raise_for_status()
        return answer.json()

    def wait_for(self, location: str) -> dict:
        self.wait_until(lambda: self.read(location)["status"] == "done")
        return self.read(location)

    def wait_until(self, condition: Callable[[], bool], seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.1)

    def runs(self, location: str, status: str) -> dict[str, tuple]:
        query = (
            select(Run)
            .join(Evaluation)
            .where(Evaluation.submission_id == location.rsplit("/", 1)[1], Run.status == status)
        )
        with unit_of_work(self.engine) as session:
            return {run.id: (run.started_at, run.fence) for run in session.scalars(query)}
