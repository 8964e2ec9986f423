"""How long retraining takes here, measured as everybody's runs are: same runner, same limits, same clock, same cores.

Before a worker takes runs of a reference, its device has a calibration of it. What is stored already is looked at again
when this process first meets it, and then every so many hours: a device may drift from what it was.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import calibrations
from app.calibrations import Measured
from app.evaluations import NextUp
from app.models import Calibration
from app.reasons import REASONS
from app.settings import Settings
from app.status import Verdict
from worker.device import Device
from worker.fingerprint import Fingerprint
from worker.recovery import BackOff, with_retries
from worker.sandbox.base import SandboxFault

REPEATS = 3
_PATIENCE = 20.0
"""Times the preparation's seconds: a retraining that takes longer than this here, and a minute, has failed."""
log = logging.getLogger("lethe.worker")


@dataclass(frozen=True)
class Wanted:
    """What is to be measured before runs of a reference are taken: all of it, or one look at what is stored."""

    reference: NextUp
    fingerprint: Fingerprint
    calibration_id: str | None = None  # of what is stored; None where nothing is


class Calibrator:
    """What one worker process has measured, looked at, and failed at."""

    def __init__(
        self,
        engine: Engine,
        device: Device,
        settings: Settings,
        name: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._device = device
        self._settings = settings
        self._name = name
        self._clock = clock
        self._looked_at: dict[tuple[str, datetime], datetime] = {}
        self._failures: dict[str, tuple[BackOff, datetime]] = {}

    def passed_over(self) -> frozenset[str]:
        """Return the references that could not be measured here a while ago: others' runs go on meanwhile."""
        now = self._clock()
        return frozenset(one for one, (_, until) in self._failures.items() if now < until)

    def find(self, session: Session, reference: NextUp) -> Calibration | Wanted:
        """Return what runs of a reference may be lent by on this device, or what is to be measured first."""
        here = self._device.fingerprint(reference.config)
        found = calibrations.find(session, reference.reference_id, here.digest)
        if found is None:
            return Wanted(reference, here)
        every = timedelta(hours=self._settings.calibration_check_hours)
        looked_at = self._looked_at.get(_key(found))
        if looked_at is None or self._clock() - looked_at >= every:
            return Wanted(reference, here, found.id)
        return found

    def measure(self, wanted: Wanted, should_stop: Callable[[], bool]) -> None:
        """Measure what is wanted and store it, unless stopped meanwhile.

        Raises what goes wrong, which is ours; then the reference is passed over here for a while, longer each time.
        """
        one = wanted.reference.reference_id
        try:
            seconds = self._seconds(wanted, should_stop)
        except Exception:
            back_off, _ = self._failures.get(one, (BackOff(60.0, 3600.0), None))
            self._failures[one] = back_off, self._clock() + timedelta(seconds=back_off.next())
            raise
        self._failures.pop(one, None)
        if seconds is not None:
            self._keep(wanted, seconds)

    def _seconds(self, wanted: Wanted, should_stop: Callable[[], bool]) -> tuple[float, ...] | None:
        """Return the wall seconds of each retraining, or None when stopped."""
        seconds = []
        for seed in range(REPEATS if wanted.calibration_id is None else 1):
            result = self._device.retrain(wanted.reference, seed, cutoff_of(wanted.reference), should_stop)
            if result.verdict is Verdict.CANCELLED:
                return None
            if result.reason is not None:
                raise SandboxFault(
                    f"retraining {_place(wanted.reference)} to calibrate this device ended with {result.reason} "
                    f"after {result.seconds:.1f} s: {REASONS[result.reason].cause}"
                )
            seconds.append(result.seconds)
        return tuple(seconds)

    def _keep(self, wanted: Wanted, seconds: tuple[float, ...]) -> None:
        if wanted.calibration_id is None:
            self._persist(lambda session: self._store(session, wanted, seconds))
        else:
            one = wanted.calibration_id
            self._persist(lambda session: self._check(session, one, wanted.reference, seconds[0]))

    def _store(self, session: Session, wanted: Wanted, seconds: tuple[float, ...]) -> Calibration:
        here = wanted.fingerprint
        found = Measured(
            wanted.reference.reference_id, here.digest, here.name, here.facts, seconds, self._name
        )
        return calibrations.store(session, found, self._clock())

    def _check(self, session: Session, calibration_id: str, reference: NextUp, seconds: float) -> Calibration:
        drift = calibrations.check(session, calibration_id, seconds, self._name, self._clock())
        if not calibrations.is_steady(drift):
            log.warning(
                "the calibration of %s has drifted: retraining took %.3f s here, %.2f times what is stored; "
                "cutoffs stay as they are until an admin has it measured again",
                _place(reference),
                seconds,
                drift,
            )
        return session.get_one(Calibration, calibration_id)

    def _persist(self, change: Callable[[Session], Calibration]) -> None:
        kept = with_retries(self._engine, change, self._settings.lease_seconds)
        self._looked_at[_key(kept)] = self._clock()


def cutoff_of(reference: NextUp) -> float:
    """Return the seconds after which a retraining has failed: generous, for this machine may be a slower one."""
    return 60.0 + _PATIENCE * reference.retrain_seconds


def _key(calibration: Calibration) -> tuple[str, datetime]:
    """Name one measurement: a row that was measured again is another."""
    return calibration.id, calibration.created_at


def _place(reference: NextUp) -> str:
    return f"{reference.config.slug} {reference.split}"
