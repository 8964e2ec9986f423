"""From the last run to a score: claimed under a fence, finished once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.evaluations.ending import MAX_LOSSES, end, log
from app.evaluations.locks import changed, lock_one
from app.evaluations.types import FinishedRun, NewScore, ScoringClaim
from app.models import Evaluation, Run, Score
from app.reasons import REASONS
from app.status import RunKind, RunStatus, Status, Verdict


def scoring_claim(
    session: Session, evaluation_id: str | None, now: datetime, lease: timedelta
) -> ScoringClaim | None:
    """Lend the scoring of one evaluation, or of any whose scorer is overdue, until now + lease.

    By id it is to be had at once by whoever asks first; later, and without an id, only past its due time.
    Scorers lost three times end the evaluation as stalled.
    """
    if evaluation_id is not None:
        evaluation = lock_one(session, evaluation_id)
        return None if evaluation is None else _lend(session, evaluation, now, lease, first=True)
    overdue = (
        select(Evaluation)
        .where(Evaluation.status == Status.SCORING, Evaluation.due_at <= now)
        .order_by(Evaluation.id)
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    for evaluation in session.scalars(overdue).all():
        lent = _lend(session, evaluation, now, lease, first=False)
        if lent is not None:
            return lent
    return None


def _lend(
    session: Session, evaluation: Evaluation, now: datetime, lease: timedelta, *, first: bool
) -> ScoringClaim | None:
    """Lend a locked evaluation's scoring if it is free."""
    fresh = first and evaluation.fence == 0
    overdue = evaluation.due_at is not None and evaluation.due_at <= now
    if evaluation.status is not Status.SCORING or not (fresh or overdue):
        return None
    lost = evaluation.fence % 2  # it is odd while a scorer has it: that one is gone
    losses = evaluation.losses + lost
    if losses >= MAX_LOSSES:
        end(session, evaluation, Verdict.STALLED, "worker_lost", "reaper", now, losses=losses)
        return None
    guard = update(Evaluation).where(
        Evaluation.id == evaluation.id,
        Evaluation.status == Status.SCORING,
        Evaluation.fence == evaluation.fence,
    )
    if not changed(
        session, guard.values(fence=evaluation.fence + 1 + lost, losses=losses, due_at=now + lease)
    ):
        return None
    session.refresh(evaluation)
    log(session, "evaluation.scoring_claimed", "worker", evaluation, now, f"fence {evaluation.fence}")
    return ScoringClaim(
        evaluation_id=evaluation.id,
        fence=evaluation.fence,
        reference_digest=evaluation.reference.digest,
    )


def scoring_heartbeat(session: Session, claim: ScoringClaim, now: datetime, lease: timedelta) -> bool:
    """Extend a scorer's claim until now + lease; False when it is no longer the caller's."""
    guard = update(Evaluation).where(
        Evaluation.id == claim.evaluation_id,
        Evaluation.status == Status.SCORING,
        Evaluation.fence == claim.fence,
    )
    return changed(session, guard.values(due_at=now + lease)) == 1


def scoring_give_back(
    session: Session, claim: ScoringClaim, now: datetime, lease: timedelta, queue_due: timedelta
) -> bool:
    """Let others score once the lease would have ended; False when the claim is no longer the caller's.

    Nobody is blamed for it until queue_due after the last run; later it counts as a loss, so that it comes to an end.
    """
    evaluation = _held(session, claim)
    if evaluation is None:
        return False
    last = session.scalar(select(func.max(Run.finished_at)).where(Run.evaluation_id == evaluation.id))
    blameless = last is None or now < last + queue_due
    guard = update(Evaluation).where(Evaluation.id == evaluation.id, Evaluation.fence == claim.fence)
    changed(session, guard.values(due_at=now + lease, fence=claim.fence + int(blameless)))
    log(session, "evaluation.scoring_given_back", "worker", evaluation, now, f"fence {claim.fence}")
    return True


def outputs(session: Session, evaluation_id: str) -> Sequence[FinishedRun]:
    """Return the succeeded runs that are scored, by seed."""
    query = (
        select(Run.seed_index, Run.outputs_digest, Run.seconds, Run.cutoff_seconds)
        .where(
            Run.evaluation_id == evaluation_id,
            Run.status == RunStatus.SUCCEEDED,
            Run.kind == RunKind.SEED,
        )
        .order_by(Run.seed_index)
    )
    return [
        FinishedRun(index, digest, seconds, cutoff)
        for index, digest, seconds, cutoff in session.execute(query)
        if digest is not None and seconds is not None and cutoff is not None
    ]


def finish(session: Session, claim: ScoringClaim, score: NewScore, now: datetime) -> bool:
    """Record the score, the verdict and `done` together; False when the claim is no longer the caller's."""
    evaluation = _held(session, claim)
    if evaluation is None or not end(session, evaluation, Verdict.SCORED, None, "worker", now):
        return False
    session.add(row_of(evaluation.id, claim.reference_digest, score, now, current=True))
    return True


def row_of(
    evaluation_id: str, reference_digest: str, score: NewScore, now: datetime, *, current: bool
) -> Score:
    """Return a score as its row. An evaluation has one current row, and one of each grader version."""
    low, high = score.interval or (None, None)
    calibrated_low, calibrated_high = score.calibrated_interval or (None, None)
    return Score(
        id=uuid4().hex,
        evaluation_id=evaluation_id,
        grader_version=score.grader_version,
        reference_digest=reference_digest,
        score=score.score,
        forgetting_quality=score.forgetting_quality,
        retain_ratio=score.retain_ratio,
        test_ratio=score.test_ratio,
        current=current,
        calibrated_score=score.calibrated_score,
        interval_low=low,
        interval_high=high,
        calibrated_low=calibrated_low,
        calibrated_high=calibrated_high,
        flags=list(score.flags),
        replicates=dict(score.replicates),
        summary=None if score.summary is None else dict(score.summary),
        report=score.report,
        plots=score.plots,
        created_at=now,
    )


def finish_unscorable(session: Session, claim: ScoringClaim, reason: str, now: datetime) -> bool:
    """End without a score, with the reason's verdict; False when the claim is no longer the caller's."""
    evaluation = _held(session, claim)
    return evaluation is not None and end(session, evaluation, REASONS[reason].verdict, reason, "worker", now)


def _held(session: Session, claim: ScoringClaim) -> Evaluation | None:
    """Lock the evaluation and return it if the claim's fence is still its own."""
    evaluation = lock_one(session, claim.evaluation_id)
    if evaluation is None or evaluation.status is not Status.SCORING or evaluation.fence != claim.fence:
        return None
    return evaluation
