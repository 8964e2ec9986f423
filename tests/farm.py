"""Worker processes under Celery on one queue, for tests and benchmarks."""

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy import select

from app import submissions
from app.db import read_only, unit_of_work
from app.models import Evaluation, Run, Worker
from app.queue import celery_app
from app.settings import Settings
from tests.processes import ROOT, real, running, sleeping, wait_until
from worker import weights


class Farm:
    """A queue, a Redis, and worker processes whose sandboxes sleep; `started` stops them in the end."""

    def __init__(self, bench, redis, started):
        self.bench, self.redis, self.started = bench, redis, started
        self.output = bench.settings.data_dir / "original"
        self.output.write_bytes(weights.serialise(bench.material.original()))
        self.log = self.output.with_name("workers.log")
        self.environment = {
            "LETHE_DATA_DIR": str(bench.settings.data_dir),
            "LETHE_BROKER_URL": redis.url,
            "LETHE_LEASE_SECONDS": "6",
            "LETHE_REAP_SECONDS": "300",  # so that only messages can have woken anybody
        }
        self.settings = Settings(data_dir=bench.settings.data_dir, broker_url=redis.url)

    def worker(self, name, seconds=0.05, **changes):
        """Start a worker and wait until it has told of itself; with no seconds, one with real sandboxes."""
        command = real(name) if seconds is None else sleeping(name, seconds, self.output)
        process = self.started.enter_context(running(command, self.environment | changes, self.log))
        wait_until(lambda: name in self.workers())
        return process

    def workers(self):
        with read_only(self.bench.engine) as session:
            return {one.name: one for one in session.scalars(select(Worker))}

    def runs(self, status=None, submission_id=None):
        query = select(Run).join(Evaluation).order_by(Run.seed_index)
        if submission_id is not None:
            query = query.where(Evaluation.submission_id == submission_id)
        with read_only(self.bench.engine) as session:
            return [run for run in session.scalars(query) if status in {None, run.status}]

    def verdict(self, submission_id):
        query = select(Evaluation.verdict).where(Evaluation.submission_id == submission_id)
        with read_only(self.bench.engine) as session:
            return session.scalar(query)

    def cancel_first(self):
        with unit_of_work(self.bench.engine) as session:
            submissions.cancel(session, self.bench.submission_id, self.bench.ada, datetime.now(UTC))

    def inspect(self, what, name):
        at = f"{name}@{socket.gethostname()}"  # named, the command ends with the answer and not with the time
        words = ["-A", "worker.celery", "inspect", what, "--json", "--timeout", "20", "--destination", at]
        done = subprocess.run(
            [sys.executable, "-m", "celery", *words],
            env=os.environ | self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    def celery_is_ready(self, name):
        try:
            answer = celery_app(self.settings).control.ping(timeout=1)
        except (OperationalError, RedisError):
            return False
        return any(host.startswith(f"{name}@") for one in answer for host in one)
