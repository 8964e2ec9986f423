"""One fault with the submissions around it: what a fault's function can do and see."""

import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from app.db import read_only
from app.models import Evaluation, Run, Submission
from app.status import RunStatus, Status
from tests.chaos.plans import Plan
from tests.chaos.site import LEASE_SECONDS, REAP_SECONDS, Site
from tests.chaos.traffic import Crowd, Sent
from tests.processes import wait_until

PATIENCE = 120.0


class Scene:
    """Sends submissions in the background, arms faults, and waits until they have struck."""

    def __init__(self, site: Site, crowd: Crowd, pool: ThreadPoolExecutor, each: int) -> None:
        self.site = site
        self.crowd = crowd
        self._pool = pool
        self._each = each
        self._coming: list[Future[Sent]] = []
        self.struck_at = datetime.now(UTC)

    def send(self, plan: Plan = Plan.SCORED) -> "Future[Sent]":
        """Send a submission, and as many more as each fault gets; return the one."""
        first = self._pool.submit(self.crowd.submit, plan)
        self._coming.append(first)
        self._coming += [self._pool.submit(self.crowd.submit, Plan.SCORED) for _ in range(self._each - 1)]
        return first

    def sent(self) -> list[Sent]:
        """Return the submissions around this fault, once all are answered."""
        return [one.result(PATIENCE) for one in self._coming]

    def strikes(self, role: str, name: str) -> int:
        """Wait until an armed fault is taken; return the process that did."""
        armed = self.site.faults[role]
        pid = wait_until(lambda: armed.taken_by(name), PATIENCE)
        self.struck_at = datetime.now(UTC)
        armed.disarm(name)
        return pid

    def strikes_now(self) -> None:
        """Note that the fault happens at this moment."""
        self.struck_at = datetime.now(UTC)

    def outlast_lease(self, pid: int) -> None:
        """Let a stopped process sleep through its lease and a reaper's turn, then go on."""
        time.sleep(LEASE_SECONDS + 2 * REAP_SECONDS + 1)
        os.kill(pid, signal.SIGCONT)

    def wait_for_run(self, one: Sent) -> str:
        """Wait until a run of a submission is lent, and return the worker."""
        query = (
            select(Run.worker)
            .join(Evaluation)
            .where(Evaluation.submission_id == one.id, Run.status == RunStatus.RUNNING)
        )

        def worker() -> str | None:
            with read_only(self.site.engine) as session:
                return session.scalar(query.limit(1))

        return wait_until(worker, PATIENCE)

    def blob_of(self, one: Sent) -> Path:
        """Return the file that holds a submission's bundle."""
        with read_only(self.site.engine) as session:
            digest = session.get_one(Submission, one.id).bundle_digest
        return self.site.data / "blobs" / digest[:2] / digest

    def wait_for_end(self, *sent: Sent) -> None:
        """Wait until submissions have ended, reruns too."""
        self.wait_until_open_are(0, sent)

    def wait_until_open_are(self, most: int, sent: Sequence[Sent]) -> None:
        """Wait until at most so many evaluations of these are still open."""
        wait_until(lambda: self.open(sent) <= most, PATIENCE)

    def open(self, sent: Sequence[Sent]) -> int:
        """Return how many evaluations of these have not ended."""
        ids = [one.id for one in sent]
        query = select(func.count(Evaluation.id)).where(
            Evaluation.submission_id.in_(ids), Evaluation.status != Status.DONE
        )
        with read_only(self.site.engine) as session:
            return session.scalar(query) or 0

    def seconds_to_the_end(self) -> float:
        """Return how long after the fault the last of its submissions ended."""
        ids = [one.id for one in self.sent()]
        query = select(func.max(Evaluation.finished_at)).where(Evaluation.submission_id.in_(ids))
        with read_only(self.site.engine) as session:
            last = session.scalar(query)
        return 0.0 if last is None else max(0.0, (last.astimezone(UTC) - self.struck_at).total_seconds())
