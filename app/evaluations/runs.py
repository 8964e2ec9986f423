"""Runs between queue and worker: claim, heartbeat, record, give back."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVarTuple

from sqlalchemy import Select, Update, exists, select, update
from sqlalchemy.orm import Session

from app import registry
from app.competitions import DeviceClass
from app.evaluations import turns
from app.evaluations.ending import MAX_LOSSES, end, log, move
from app.evaluations.locks import changed, lock, lock_one
from app.evaluations.types import Claim, NextUp, Recorded, RunOutcome
from app.models import Calibration, Competition, Evaluation, Reference, Run
from app.status import RunKind, RunStatus, Status, Verdict

_Ts = TypeVarTuple("_Ts")
CANCELLED = "cancelled_on_request"


def next_up(
    session: Session, passed_over: Collection[str] = (), device: DeviceClass | None = None
) -> NextUp | None:
    """Return the reference of the first queued run, leaving out those with the ids `passed_over`.

    Of competitions that name a class of devices, only those that name `device` are looked at, if it is given. What a
    device may take of it depends on the device's calibration, which is the caller's to find. It takes one look into
    the queue's index for each reference, however long the queue is.
    """
    head = _first(select(Run.id), 1).where(Run.reference_id == Reference.id)
    found = select(Reference).join(Run, Run.id == head.correlate(Reference).scalar_subquery())
    query = found.where(Reference.id.not_in(passed_over)).order_by(*ORDER).limit(1)
    if device is not None:
        query = query.join(Competition).where(turns.wanted_device().in_(("any", device)))
    reference = session.scalar(query)
    if reference is None:
        return None
    return NextUp(
        reference_id=reference.id,
        reference_digest=reference.digest,
        split=reference.split,
        retrain_seconds=reference.retrain_seconds,
        config=registry.config_of(reference.competition),
    )


def claim(
    session: Session,
    calibration: Calibration,
    *,
    worker: str,
    limit: int,
    now: datetime,
    lease: timedelta,
    queue_due: timedelta,
) -> list[Claim]:
    """Lend up to `limit` queued runs of the calibration's reference, in their order, to a worker until now + lease.

    Each has its cutoff from the calibration, which is that of the worker's device. From an evaluation's first run on, a
    result is due within queue_due; lending again is none.
    """
    of_reference = Run.reference_id == calibration.reference_id
    terms = {"worker": worker, "started_at": now, "lease_until": now + lease}
    for _ in range(_TRIES):
        waiting = _first(select(Run.evaluation_id).where(of_reference), limit)
        candidates = list(dict.fromkeys(session.scalars(waiting)))
        rows = {row.id: row for row in lock(session, candidates)}
        taken: list[Run] = []
        for one in (rows[key] for key in candidates if key in rows):
            free = _free(session, one, limit - len(taken))
            taken += [run for run in free if _take(session, run, one, calibration, **terms)]
        if taken or not candidates:
            return [_lend(session, rows[run.evaluation_id], run, worker, now, queue_due) for run in taken]
    return []


_TRIES = 3  # others may take every candidate while we wait for its evaluation's lock


ORDER = (Run.lane, Run.turn, Run.queued_at, Run.evaluation_id, Run.seed_index)
"""In which queued runs are lent; it is the index ix_runs_queue after status and reference."""


def _first(query: Select[*_Ts], limit: int) -> Select[*_Ts]:
    return query.where(Run.status == RunStatus.QUEUED).order_by(*ORDER).limit(limit)


def _free(session: Session, evaluation: Evaluation, limit: int) -> Sequence[Run]:
    """Lock the first queued runs of an evaluation; by its own index, which is short, not the queue's."""
    of_it = select(Run).where(Run.evaluation_id == evaluation.id, Run.status == RunStatus.QUEUED)
    first = of_it.order_by(Run.seed_index).limit(limit).with_for_update(skip_locked=True)
    return session.scalars(first.execution_options(populate_existing=True)).all()


def _take(session: Session, run: Run, evaluation: Evaluation, calibration: Calibration, **terms: Any) -> bool:
    guard = update(Run).where(Run.id == run.id, Run.status == RunStatus.QUEUED, Run.fence == run.fence)
    won = guard.values(
        status=RunStatus.RUNNING,
        fence=run.fence + 1,
        printed=None,
        calibration_id=calibration.id,
        cutoff_seconds=evaluation.cutoff_fraction * calibration.seconds,
        **terms,
    )
    taken = changed(session, won) == 1
    session.refresh(run)
    return taken


def _lend(
    session: Session, evaluation: Evaluation, run: Run, worker: str, now: datetime, queue_due: timedelta
) -> Claim:
    if evaluation.status is Status.QUEUED:
        move(session, evaluation, Status.RUNNING, started_at=now, due_at=now + queue_due)
        log(session, "evaluation.running", worker, evaluation, now)
    submission = evaluation.submission
    assert run.cutoff_seconds is not None
    lent = Claim(
        run_id=run.id,
        evaluation_id=evaluation.id,
        competition_slug=submission.competition.slug,
        seed=run.seed,
        seed_index=run.seed_index,
        fence=run.fence,
        bundle_digest=submission.bundle_digest,
        reference_digest=evaluation.reference.digest,
        cutoff_seconds=run.cutoff_seconds,
        worker=worker,
        kind=run.kind,
    )
    detail = f"{lent.label}, fence {run.fence}, cutoff {run.cutoff_seconds:.3f} s"
    log(session, "run.running", worker, evaluation, now, detail)
    return lent


def heartbeat(session: Session, claims: Sequence[Claim], now: datetime, lease: timedelta) -> set[str]:
    """Extend the leases that are still the caller's; return the ids of those runs that are still wanted.

    A run of a cancelled evaluation keeps its lease, so that its worker can stop it, but is not in the answer.
    """
    open_ = {row.id for row in lock(session, (c.evaluation_id for c in claims)) if not row.cancel_requested}
    ours = [c for c in claims if changed(session, _ours(c).values(lease_until=now + lease)) == 1]
    return {c.run_id for c in ours if c.evaluation_id in open_}


def show_printed(session: Session, claim: Claim, text: str) -> bool:
    """Show what a smoke run has printed so far, while it is the caller's; return whether it still was.

    No event is written: nothing that is kept in memory holds this. It stays until the run is lent again or has a log.
    Raises ValueError for a run on hidden data: nothing of it may be shown.
    """
    if claim.kind is not RunKind.SMOKE:
        raise ValueError("only what a smoke run prints may be shown")
    return changed(session, _ours(claim).values(printed=text)) == 1


def _ours(claim: Claim) -> Update:
    """Guard: the run is still lent under this claim's fence."""
    return update(Run).where(
        Run.id == claim.run_id, Run.status == RunStatus.RUNNING, Run.fence == claim.fence
    )


def record(
    session: Session,
    claim: Claim,
    outcome: RunOutcome,
    now: datetime,
    lease: timedelta,
    queue_due: timedelta,
) -> Recorded:
    """Record a run under its fence; the last success moves the evaluation to scoring, the first failure ends it.

    After LAST the caller has until now + lease to take the scoring_claim before others may.
    Raises ValueError for a log of a run on hidden data: none may exist.
    """
    if (outcome.log is not None) != (claim.kind is RunKind.SMOKE):
        raise ValueError("a smoke run has a log, and no other run has one")
    evaluation = lock_one(session, claim.evaluation_id)
    status = RunStatus.FAILED if outcome.verdict else RunStatus.SUCCEEDED
    ended = _ours(claim).values(
        status=status,
        seconds=outcome.seconds,
        outputs_digest=outcome.outputs_digest,
        log_digest=None if outcome.log is None else outcome.log.digest,
        log_dropped_bytes=None if outcome.log is None else outcome.log.dropped_bytes,
        printed=None,
        verdict=outcome.verdict,
        reason=outcome.reason,
        lease_until=None,
        finished_at=now,
    )
    if evaluation is None or changed(session, ended) == 0:
        return Recorded.LOST
    detail = f"{claim.label}, {outcome.seconds:.2f} s" + (f", {outcome.reason}" if outcome.reason else "")
    log(session, f"run.{status}", claim.worker, evaluation, now, detail)
    return _after(session, evaluation, claim.worker, outcome, now, now + lease, now + queue_due)


def _after(
    session: Session,
    evaluation: Evaluation,
    worker: str,
    outcome: RunOutcome,
    now: datetime,
    scoring_due: datetime,
    queue_due: datetime,
) -> Recorded:
    """Decide what a recorded run means for its evaluation."""
    if evaluation.cancel_requested:
        end(session, evaluation, Verdict.CANCELLED, CANCELLED, worker, now)
        return Recorded.ENDED
    if outcome.verdict is not None:
        end(session, evaluation, outcome.verdict, outcome.reason, worker, now)
        return Recorded.ENDED
    unfinished = exists().where(Run.evaluation_id == evaluation.id, Run.status != RunStatus.SUCCEEDED)
    if session.scalar(select(unfinished)):
        _push_due(session, evaluation, queue_due)
        return Recorded.RECORDED
    move(session, evaluation, Status.SCORING, due_at=scoring_due)
    log(session, "evaluation.scoring", worker, evaluation, now)
    return Recorded.LAST


def _push_due(session: Session, evaluation: Evaluation, due: datetime) -> None:
    guard = update(Evaluation).where(Evaluation.id == evaluation.id, Evaluation.status == Status.RUNNING)
    changed(session, guard.values(due_at=due))


def give_back(
    session: Session,
    claim: Claim,
    reason: Literal["worker_lost", "sandbox_fault"],
    now: datetime,
    *,
    count_loss: bool = True,
) -> bool:
    """Put a run back in the queue under our own fault; the third loss ends the evaluation as stalled.

    `count_loss=False` is for a worker that stops on request. Returns False when the run is no longer the caller's.
    """
    evaluation = lock_one(session, claim.evaluation_id)
    if evaluation is None:
        return False
    guard = _ours(claim)
    return requeue(session, evaluation, claim.run_id, guard, reason, claim.worker, now, loss=int(count_loss))


def requeue(
    session: Session,
    evaluation: Evaluation,
    run_id: str,
    guard: Update,
    reason: str,
    actor: str,
    now: datetime,
    *,
    loss: int,
) -> bool:
    """Give a run of a locked evaluation back, if `guard` still matches; end the evaluation if it must end."""
    lent = dict.fromkeys(("worker", "lease_until", "calibration_id", "cutoff_seconds"))
    values = lent | {"losses": Run.losses + loss}
    if changed(session, guard.values(status=RunStatus.QUEUED, **values)) == 0:
        return False
    losses = session.scalar(select(Run.losses).where(Run.id == run_id)) or 0
    log(session, "run.queued", actor, evaluation, now, f"{reason}, {losses} losses")
    if evaluation.cancel_requested:
        end(session, evaluation, Verdict.CANCELLED, CANCELLED, actor, now)
    elif loss and losses >= MAX_LOSSES:
        end(session, evaluation, Verdict.STALLED, reason, actor, now)
    return True


def was_skipped(session: Session, claim: Claim) -> bool:
    """Tell whether a run was skipped since it was lent, for its evaluation has ended."""
    return session.scalar(select(Run.status).where(Run.id == claim.run_id)) is RunStatus.SKIPPED


def stop_cancelled(session: Session, claim: Claim, now: datetime) -> bool:
    """End a cancelled evaluation whose run the caller has killed; False when no cancel was asked for, or it is over."""
    evaluation = lock_one(session, claim.evaluation_id)
    if evaluation is None or not evaluation.cancel_requested:
        return False
    return end(session, evaluation, Verdict.CANCELLED, CANCELLED, claim.worker, now)
