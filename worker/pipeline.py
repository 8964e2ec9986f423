"""The way of a run: claim, sandbox, weights, logits, record; and whoever records the last run scores.

One step is one transaction; none is held while a sandbox works. Everything that can be lost (this process
included) is found again through leases in the database.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import evaluations, registry
from app.competitions import CompetitionConfig
from app.db import read_only, unit_of_work
from app.evaluations import Claim, Recorded, RunOutcome, ScoringClaim
from app.settings import Settings
from app.status import Verdict
from app.storage import Storage
from worker import weights
from worker.material import fetch
from worker.outputs import NotFiniteLogits, RunOutputs, Split
from worker.sandbox.base import Job, Limits, RunResult, SandboxSpec
from worker.sandbox.pool import Pool
from worker.scoring import score_outputs

T = TypeVar("T")
log = logging.getLogger("lethe.worker")


def utc_now() -> datetime:
    """Return the current time; the clock that is passed in outside tests."""
    return datetime.now(UTC)


class Worker:
    """One device's loop over queued runs."""

    def __init__(
        self,
        engine: Engine,
        storage: Storage,
        pool: Pool,
        settings: Settings,
        name: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._engine = engine
        self._storage = storage
        self._pool = pool
        self._settings = settings
        self._name = name
        self._clock = clock
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._stopping = threading.Event()
        self._current: tuple[str, Split] | None = None
        self._reaped_at = float("-inf")

    def stop(self) -> None:
        """Ask the loop to end; the run in hand is killed and given back without blame."""
        self._stopping.set()

    def run_forever(self) -> None:
        """Work until `stop`; a database that is away for a while is waited for."""
        while not self._stopping.is_set():
            try:
                busy = self.step()
            except OperationalError as error:
                log.warning("database is away: %s", error.orig)
                busy = False
            except Exception:
                log.exception("fault outside a run; leases and due times bring its work back")
                busy = False
            if not busy:
                self._stopping.wait(self._settings.poll_seconds)

    def step(self) -> bool:
        """Do one piece of work; return whether there was any."""
        self._reap_when_due()
        with unit_of_work(self._engine) as session:
            claims = evaluations.claim(
                session,
                worker=self._name,
                limit=1,
                now=self._clock(),
                lease=self._lease,
                queue_due=self._settings.queue_due,
            )
        for claim in claims:
            self._serve(claim)
        return bool(claims)

    def _reap_when_due(self) -> None:
        if time.monotonic() - self._reaped_at < self._settings.reap_seconds:
            return
        with unit_of_work(self._engine) as session:
            evaluations.reap(session, self._clock(), self._settings.queue_due)
        self._reaped_at = time.monotonic()
        self._score(None)

    def _serve(self, claim: Claim) -> None:
        try:
            with self._beating(claim) as unwanted:
                ended = self._run(claim, lambda: unwanted.is_set() or self._stopping.is_set())
        except OperationalError:
            raise  # the database is away: the lease brings the run back
        except Exception:
            # whatever is not a RunResult is ours: a sandbox fault, a blob that cannot be read, a full disk
            log.exception("fault in run %s", claim.run_id)
            self._persist(lambda s: evaluations.give_back(s, claim, "sandbox_fault", self._clock()))
            return
        if ended is None:
            self._let_go(claim)
            return
        log.info(
            "run %s seed %d: %s in %.3f s",
            claim.run_id,
            claim.seed_index,
            ended.reason or "ok",
            ended.seconds,
        )
        recorded = self._persist(
            lambda s: evaluations.record(
                s, claim, ended, self._clock(), self._lease, self._settings.queue_due
            )
        )
        if recorded is Recorded.LAST:
            self._score(claim.evaluation_id)

    def _let_go(self, claim: Claim) -> None:
        """Give a stopped run back, or end its evaluation if that was cancelled. Both are no-ops on a lost lease."""

        def end(session: Session) -> None:
            if not evaluations.stop_cancelled(session, claim, self._clock()):
                evaluations.give_back(session, claim, "worker_lost", self._clock(), count_loss=False)

        self._persist(end)

    def _run(self, claim: Claim, should_stop: Callable[[], bool]) -> RunOutcome | None:
        """Return how the run ended, or None if it was killed because it is not wanted any more."""
        with read_only(self._engine) as session:
            config = registry.config_of(registry.get_competition(session, claim.competition_slug))
        split = self._split(claim.reference_digest)
        bundle = self._storage.get(claim.bundle_digest)
        sandbox = self._pool.take(spec_for(split, config, self._settings.device))
        try:
            result = sandbox.run(Job(bundle, claim.seed, claim.cutoff_seconds), should_stop)
        finally:
            sandbox.close()
        return None if result.verdict is Verdict.CANCELLED else self._judge(split, result)

    def _judge(self, split: Split, result: RunResult) -> RunOutcome:
        if result.verdict is not None:
            return RunOutcome(seconds=result.seconds, verdict=result.verdict, reason=result.reason)
        try:
            outputs = split.measure(weights.read(result.output, split.layout))
        except weights.InvalidWeights as error:
            return RunOutcome(result.seconds, verdict=Verdict.INVALID_OUTPUT, reason=error.code)
        except NotFiniteLogits:
            return RunOutcome(result.seconds, verdict=Verdict.INVALID_OUTPUT, reason="not_finite_logits")
        return RunOutcome(result.seconds, outputs_digest=self._storage.put(outputs.to_bytes()))

    def _split(self, reference_digest: str) -> Split:
        """Return the split in hand; a worker keeps one at a time in memory."""
        if self._current is None or self._current[0] != reference_digest:
            material = fetch(self._storage, reference_digest, self._settings.data_dir / "cache")
            self._current = (reference_digest, Split(material, self._settings.device))
        return self._current[1]

    def _score(self, evaluation_id: str | None) -> None:
        """Score an evaluation whose last run is recorded; None takes over from a scorer that died."""
        claim = self._persist(
            lambda s: evaluations.scoring_claim(s, evaluation_id, self._clock(), self._lease)
        )
        if claim is None:
            return
        with read_only(self._engine) as session:
            rows = evaluations.outputs(session, claim.evaluation_id)
        runs = [RunOutputs.from_bytes(self._storage.get(digest)) for _, digest, _ in rows]
        score = score_outputs(runs, self._split(claim.reference_digest), [seconds for _, _, seconds in rows])
        self._persist(lambda s: self._finish(s, claim, score))

    def _finish(self, session: Session, claim: ScoringClaim, score: evaluations.NewScore | None) -> None:
        if score is None:
            evaluations.finish_unscorable(session, claim, "not_scorable", self._clock())
        else:
            evaluations.finish(session, claim, score, self._clock())

    def _persist(self, change: Callable[[Session], T]) -> T:
        return _with_retries(self._engine, change, self._settings.lease_seconds)

    @contextmanager
    def _beating(self, claim: Claim) -> Iterator[threading.Event]:
        """Extend the lease from a thread of its own; the event is set once the run is not wanted any more."""
        unwanted, over = threading.Event(), threading.Event()

        def beat() -> None:
            while not over.wait(min(2.0, self._settings.lease_seconds / 3)):
                try:
                    with unit_of_work(self._engine) as session:
                        wanted = evaluations.heartbeat(session, [claim], self._clock(), self._lease)
                except OperationalError as error:
                    log.warning("heartbeat failed: %s", error.orig)
                    continue
                if claim.run_id not in wanted:
                    unwanted.set()
                    return

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield unwanted
        finally:
            over.set()
            thread.join()


def spec_for(split: Split, config: CompetitionConfig, device: str) -> SandboxSpec:
    """Return what a sandbox for this split is started with."""
    limits = Limits(
        memory_bytes=config.sandbox.memory_mb * 2**20,
        processes=config.sandbox.processes,
        tmp_bytes=config.sandbox.tmp_mb * 2**20,
        output_bytes=weights.payload_bytes(split.layout),
        threads=config.sandbox.threads,
    )
    return SandboxSpec(split.sandbox, limits, device)


def _with_retries(engine: Engine, change: Callable[[Session], T], patience_seconds: float) -> T:
    """Commit a result through short database outages; past the lease somebody else owns the run anyway."""
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            with unit_of_work(engine) as session:
                return change(session)
        except OperationalError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.2)
