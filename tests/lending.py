"""What a worker does to get runs, where a test has no worker: its device is as fast as the references say."""

from sqlalchemy import select

from app import calibrations, evaluations
from app.calibrations import Measured
from app.models import Reference

DEVICE = "0123456789abcdef"
NAME = "Test CPU, 1 thread"


def calibrate(session, reference, now, seconds=None, device=DEVICE, name=NAME, worker="w1"):
    """Store what a device takes for a retraining: by default what the reference says."""
    seconds = reference.retrain_seconds if seconds is None else seconds
    measured = Measured(reference.id, device, name, {"processor": name}, (seconds,), worker)
    return calibrations.store(session, measured, now)


def lend(session, *, limit, now, device=DEVICE, **terms):
    """Claim up to `limit` runs, the oldest first, of whatever reference they are."""
    taken = []
    while len(taken) < limit and (found := evaluations.next_up(session)) is not None:
        stored = calibrations.find(session, found.reference_id, device)
        if stored is None:
            stored = calibrate(session, session.get_one(Reference, found.reference_id), now, device=device)
        claims = evaluations.claim(session, stored, limit=limit - len(taken), now=now, **terms)
        if not claims:
            break
        taken += claims
    return taken


def calibrate_all(session, now):
    """Calibrate every reference, so that nothing is left to do when runs are lent."""
    for reference in session.scalars(select(Reference)):
        calibrate(session, reference, now)
