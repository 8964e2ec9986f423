"""The way of a run: claim, sandbox, weights, logits, record; and whoever records the last run scores.

One step is one transaction; none is held while a sandbox works. Everything that can be lost (this process
included) is found again through leases in the database.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import evaluations
from app.competitions import CompetitionConfig
from app.db import UnitOfWork, read_only, unit_of_work
from app.errors import NotFound
from app.evaluations import Claim, NextUp, Recorded, RunOutcome, ScoringClaim
from app.log_lines import belonging
from app.queue import Doorbell, Silent
from app.settings import Settings
from app.status import WorkerState
from app.storage import StorageAway
from worker.calibration import Calibrator, Wanted
from worker.device import Device
from worker.ending import Ending
from worker.live_log import LiveLog
from worker.metrics import WorkerMetrics
from worker.presence import Reaper
from worker.recovery import AWAY, BackOff, beating, first_line, with_retries
from worker.sandbox.base import SandboxFault

T = TypeVar("T")
log = logging.getLogger("lethe.worker")


def utc_now() -> datetime:
    """Return the current time; the clock that is passed in outside tests."""
    return datetime.now(UTC)


class Step(StrEnum):
    """What one step came to."""

    IDLE = "idle"  # there was nothing to do
    WORKED = "worked"
    FAULT = "fault"  # a run was given back because we failed


class Worker:
    """One device's loop over queued runs.

    `probe` raises SandboxFault unless sandboxes work here; it is asked after a fault, before more work is taken, so
    that a worker that broke does not use up the runs of others. `wait` sleeps; by default until `stop`. `bell` wakes
    other workers when a run is given back.
    """

    def __init__(
        self,
        engine: Engine,
        device: Device,
        settings: Settings,
        name: str,
        *,
        clock: Callable[[], datetime] = utc_now,
        probe: Callable[[], None] = lambda: None,
        wait: Callable[[float], object] | None = None,
        metrics: WorkerMetrics | None = None,
        bell: Doorbell | None = None,
    ) -> None:
        self._engine = engine
        self._device = device
        self._settings = settings
        self._name = name
        self._clock = clock
        self._probe = probe
        self._lease = timedelta(seconds=settings.lease_seconds)
        self.ending = Ending(settings.drain_seconds)
        self._wait = wait or self.ending.wait
        self._bell = bell or Silent()
        self.metrics = metrics or WorkerMetrics()
        self._back_off = BackOff()
        self._calibrator = Calibrator(engine, device, settings, name, clock)
        self._suspect = False
        self._run_id: str | None = None
        self._passes_on = False
        self._looked_at = float("-inf")
        self.reaper = Reaper(engine, settings, clock, self._bell)

    def stop(self) -> None:
        """Ask the loop to end; the run in hand may last for the settings' drain_seconds, or ends at once if asked again.

        What is killed is given back without blame.
        """
        self.ending.ask()

    def state(self) -> tuple[WorkerState, str | None]:
        """Return what the worker is about, and the id of the run in hand; any thread may ask."""
        run_id = self._run_id
        if self.ending.asked():
            return WorkerState.DRAINING, run_id
        if self._suspect:
            return WorkerState.SUSPECT, run_id
        return (WorkerState.IDLE if run_id is None else WorkerState.RUNNING), run_id

    def run_forever(self) -> None:
        """Work until `stop`. After trouble of ours wait, longer each time, and take no work meanwhile."""
        while not self.ending.asked():
            _, seconds = self._turn()
            self._wait(seconds)

    def run_until_idle(self, should_yield: Callable[[], bool] = lambda: False) -> None:
        """Work until there is nothing to claim, or somebody else is to go on, or `stop`.

        What it finds first it takes, and wakes the next worker, which does the same: all who are free come to help.
        """
        self._passes_on = True
        while not self.ending.asked() and not should_yield():
            done, seconds = self._turn()
            if done is Step.IDLE:
                return
            self._wait(seconds)

    def _turn(self) -> tuple[Step, float]:
        """Do one step; return what it came to, and the seconds to wait before the next."""
        try:
            done = self.step()
        except AWAY as error:
            log.warning("the database is away: %s", first_line(error))
        except (StorageAway, NotFound) as error:
            log.warning("the storage is away, or lacks something: %s", error)
        except SandboxFault as error:
            log.error("sandboxes do not work here: %s", error)  # noqa: TRY400 - its message says what to do
        except Exception:
            log.exception("fault outside a run; leases and due times bring its work back")
        else:
            if done is not Step.FAULT:
                self._back_off.reset()
                return done, self._settings.poll_seconds if done is Step.IDLE else 0.0
        seconds = self._back_off.next()
        log.warning("taking no work for %.0f s", seconds)
        return Step.FAULT, seconds

    def step(self) -> Step:
        """Do one piece of work. Raises what goes wrong outside a run."""
        if self._suspect:
            self._probe()
            self._suspect = False
        self.reaper.reap_when_due()
        self._take_over_when_due()
        with self.metrics.claims.time(), unit_of_work(self._engine) as session:
            passed_over = self._calibrator.passed_over()
            reference = evaluations.next_up(session, passed_over, self._settings.device)
            work = None if reference is None else self._take(session, reference)
            if work is not None and self._passes_on:
                self._passes_on = False
                session.after_commit(lambda: self._bell.ring(self._settings.device))
        if reference is None or work is None:
            return Step.IDLE
        if isinstance(work, Wanted):
            return self._measure(work)
        with belonging(evaluation_id=work.evaluation_id, run_id=work.run_id):
            return self._serve(work, reference.config)

    def _take(self, session: Session, reference: NextUp) -> Claim | Wanted | None:
        """Take a run of a reference, or what is to be measured here before; None when others were quicker."""
        found = self._calibrator.find(session, reference)
        if isinstance(found, Wanted):
            return found
        claims = evaluations.claim(
            session,
            found,
            worker=self._name,
            limit=1,
            now=self._clock(),
            lease=self._lease,
            queue_due=self._settings.queue_due,
        )
        return claims[0] if claims else None

    def _measure(self, wanted: Wanted) -> Step:
        """Measure retraining; no run is held meanwhile, so others may take those that wait."""
        try:
            with self.metrics.busy("calibration"):
                self._calibrator.measure(wanted, self.ending.asked)
        except AWAY:
            raise
        except Exception:
            log.exception("fault in a calibration")
            self.metrics.faults.inc()
            self._suspect = not self.ending.asked()
            return Step.FAULT
        return Step.WORKED

    def _take_over_when_due(self) -> None:
        """Score what a scorer that died has left."""
        if time.monotonic() - self._looked_at < self._settings.reap_seconds:
            return
        self._looked_at = (
            time.monotonic()
        )  # before: what cannot be scored must not keep us from everything else
        self._score(None)

    def _serve(self, claim: Claim, config: CompetitionConfig) -> Step:
        self._run_id = claim.run_id
        try:
            return self._run(claim, config)
        finally:
            self._run_id = None

    def _run(self, claim: Claim, config: CompetitionConfig) -> Step:
        live = LiveLog(claim)
        try:
            with self.metrics.busy("run"), self._beating(lambda s: self._beat(s, claim, live)) as unwanted:
                ended = self._device.run(
                    claim, config, lambda: unwanted.is_set() or self.ending.over(), live.printed
                )
        except AWAY:
            raise  # the lease brings the run back
        except (StorageAway, NotFound) as error:
            log.warning("run %s is given back: %s", claim.run_id, error)
            if self._device.storage_works(
                claim.reference_digest
            ):  # then it is this run's blobs that cannot be had
                return self._give_back(claim)
            self._let_go(claim)  # uncounted: a store that is away for an hour must not stall what waits
            return Step.FAULT
        except Exception:
            # whatever is not a RunResult is ours: a sandbox fault, a blob that cannot be read, a full disk
            log.exception("fault in run %s", claim.run_id)
            self.metrics.faults.inc()
            return self._give_back(claim)
        if ended is None or (ended.verdict is not None and self.ending.asked()):
            self._let_go(claim)  # what stops us may have killed the sandbox too: nobody is judged by that
        else:
            self._record(claim, ended)
        return Step.WORKED

    def _beat(self, session: UnitOfWork, claim: Claim, live: LiveLog) -> bool:
        wanted = evaluations.heartbeat(session, [claim], self._clock(), self._lease)
        live.show(session)
        return claim.run_id in wanted

    def _give_back(self, claim: Claim) -> Step:
        """Give a run back after a fault of ours, which counts unless we are being stopped."""
        if self.ending.asked():
            self._let_go(claim)
        else:
            self._suspect = True
            self._persist(lambda s: evaluations.give_back(s, claim, "sandbox_fault", self._clock()))
            self._bell.ring()
        return Step.FAULT

    def _let_go(self, claim: Claim) -> None:
        """Give a stopped run back, or end its evaluation if that was cancelled. Both are no-ops on a lost lease."""

        def end(session: Session) -> bool:
            now = self._clock()
            return (
                evaluations.stop_cancelled(session, claim, now)
                or evaluations.give_back(session, claim, "worker_lost", now, count_loss=False)
                or evaluations.was_skipped(session, claim)
            )

        if self._persist(end):
            self._bell.ring()
        else:
            self._lost(claim)

    def _record(self, claim: Claim, ended: RunOutcome) -> None:
        def record(session: Session) -> Recorded:
            queue_due = self._settings.queue_due
            return evaluations.record(session, claim, ended, self._clock(), self._lease, queue_due)

        recorded = self._persist(record)
        if recorded is Recorded.LOST:
            self._lost(claim)
            return
        words = ended.reason or "ok"
        self.metrics.runs.labels(words).inc()
        log.info("run %s, %s: %s in %.3f s", claim.run_id, claim.label, words, ended.seconds)
        if recorded is Recorded.LAST:
            self._score(claim.evaluation_id)

    def _lost(self, claim: Claim) -> None:
        log.warning("run %s is no longer ours: its result is dropped", claim.run_id)
        self.metrics.leases_lost.inc()

    def _score(self, evaluation_id: str | None) -> None:
        """Score an evaluation whose last run is recorded; None takes over from a scorer that died."""
        claim = self._persist(
            lambda s: evaluations.scoring_claim(s, evaluation_id, self._clock(), self._lease)
        )
        if claim is not None:
            with belonging(evaluation_id=claim.evaluation_id), self.metrics.busy("scoring"):
                self._score_claimed(claim)

    def _score_claimed(self, claim: ScoringClaim) -> None:
        try:
            with self._beating(
                lambda s: evaluations.scoring_heartbeat(s, claim, self._clock(), self._lease)
            ) as lost:
                with read_only(self._engine) as session:
                    rows = evaluations.outputs(session, claim.evaluation_id)
                score = self._device.score(claim, rows)
        except (StorageAway, NotFound):
            if not self._device.storage_works(
                claim.reference_digest
            ):  # else its lease ends, and it counts as a loss
                self._give_scoring_back(claim)
            raise
        if lost.is_set() or not self._persist(lambda s: self._finish(s, claim, score)):
            log.warning("evaluation %s is no longer ours: its score is dropped", claim.evaluation_id)
            self.metrics.leases_lost.inc()
        else:
            log.info("evaluation %s is %s", claim.evaluation_id, "scored" if score else "not scorable")

    def _give_scoring_back(self, claim: ScoringClaim) -> None:
        lease, queue_due = self._lease, self._settings.queue_due
        self._persist(lambda s: evaluations.scoring_give_back(s, claim, self._clock(), lease, queue_due))

    def _finish(self, session: Session, claim: ScoringClaim, score: evaluations.NewScore | None) -> bool:
        if score is None:
            return evaluations.finish_unscorable(session, claim, "not_scorable", self._clock())
        return evaluations.finish(session, claim, score, self._clock())

    def _persist(self, change: Callable[[Session], T]) -> T:
        return with_retries(self._engine, change, self._settings.lease_seconds)

    def _beating(self, extend: Callable[[UnitOfWork], bool]) -> AbstractContextManager[threading.Event]:
        """Extend a lease while something slow goes on; the event is set once it is not ours or not wanted."""

        def beat() -> bool:
            with unit_of_work(self._engine) as session:
                return extend(session)

        return beating(beat, min(2.0, self._settings.lease_seconds / 3))
