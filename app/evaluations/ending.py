"""How an evaluation ends: runs skipped, publication, refund, event and notices in the same transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from app import events, quota
from app.evaluations.locks import changed
from app.models import Evaluation, Run
from app.notices import outbox
from app.reasons import REASONS, Fault
from app.status import TRANSITIONS, RunStatus, Status, Verdict

MAX_LOSSES = 3
"""Infrastructure losses of one run, or of scoring, after which an evaluation is stalled."""

OPEN_RUNS = (RunStatus.QUEUED, RunStatus.RUNNING)


def log(
    session: Session, kind: str, actor: str, evaluation: Evaluation, now: datetime, detail: str = ""
) -> None:
    """Write an event about an evaluation."""
    events.write(
        session,
        kind,
        actor,
        now,
        submission_id=evaluation.submission_id,
        evaluation_id=evaluation.id,
        detail=detail,
    )


def move(session: Session, evaluation: Evaluation, to: Status, **values: Any) -> bool:
    """Move a locked evaluation on, if it still is where it was read; return whether this call did."""
    if to not in TRANSITIONS[evaluation.status]:
        return False
    guard = update(Evaluation).where(
        Evaluation.id == evaluation.id,
        Evaluation.status == evaluation.status,
        Evaluation.fence == evaluation.fence,
    )
    won = changed(session, guard.values(status=to, **values)) == 1
    session.refresh(evaluation)
    return won


def end(
    session: Session,
    evaluation: Evaluation,
    verdict: Verdict,
    reason: str | None,
    actor: str,
    now: datetime,
    **values: Any,
) -> bool:
    """End a locked evaluation: skip what has not ended, publish, refund what was not the participant's fault."""
    never_started = evaluation.started_at is None
    if not move(
        session,
        evaluation,
        Status.DONE,
        verdict=verdict,
        reason=reason,
        due_at=None,
        finished_at=now,
        **values,
    ):
        return False
    _skip(session, evaluation, OPEN_RUNS, now)
    detail = verdict if reason is None else f"{verdict}: {reason}"
    log(session, "evaluation.done", actor, evaluation, now, detail)
    _publish(session, evaluation, actor, now)
    if reason is not None and _is_refunded(reason, never_started=never_started):
        _refund(session, evaluation, actor, now)
    outbox.tell_ending(session, evaluation, now)
    return True


def cancel(session: Session, evaluation: Evaluation, actor: str, now: datetime) -> bool:
    """Cancel a locked evaluation: at once when nothing runs, else by a flag that its workers obey.

    Returns False when it has ended already. Asking twice changes nothing.
    """
    if evaluation.status is Status.DONE:
        return False
    running = select(exists().where(Run.evaluation_id == evaluation.id, Run.status == RunStatus.RUNNING))
    if not session.scalar(running):
        return end(session, evaluation, Verdict.CANCELLED, "cancelled_on_request", actor, now)
    if not evaluation.cancel_requested:
        flag = update(Evaluation).where(
            Evaluation.id == evaluation.id, Evaluation.status == evaluation.status
        )
        changed(session, flag.values(cancel_requested=True))
        session.refresh(evaluation)
        _skip(session, evaluation, (RunStatus.QUEUED,), now)
        log(session, "evaluation.cancel_requested", actor, evaluation, now)
    return True


def _skip(session: Session, evaluation: Evaluation, statuses: tuple[RunStatus, ...], now: datetime) -> None:
    skipped = update(Run).where(Run.evaluation_id == evaluation.id, Run.status.in_(statuses))
    count = changed(session, skipped.values(status=RunStatus.SKIPPED, lease_until=None, finished_at=now))
    if count:
        log(session, "run.skipped", "service", evaluation, now, f"{count} runs")


def _publish(session: Session, evaluation: Evaluation, actor: str, now: datetime) -> None:
    """Show this ended evaluation, unless whoever reran many is to look at it first."""
    if evaluation.rerun_id is None:
        publish(session, evaluation, actor, now)


def publish(session: Session, evaluation: Evaluation, actor: str, now: datetime) -> bool:
    """Show a locked, ended evaluation instead of the published one, if it says more about the submission."""
    if evaluation.published:
        return False
    shown = shown_beside(session, evaluation)
    if not says_more(evaluation, shown):
        return False
    if shown is not None:
        changed(session, update(Evaluation).where(Evaluation.id == shown.id).values(published=False))
        session.refresh(shown)
    changed(session, update(Evaluation).where(Evaluation.id == evaluation.id).values(published=True))
    session.refresh(evaluation)
    log(session, "evaluation.published", actor, evaluation, now, f"generation {evaluation.generation}")
    return True


def shown_beside(session: Session, evaluation: Evaluation) -> Evaluation | None:
    """Return the published evaluation of the same submission and split."""
    return session.scalar(
        select(Evaluation).where(
            Evaluation.submission_id == evaluation.submission_id,
            Evaluation.split == evaluation.split,
            Evaluation.published,
        )
    )


def says_more(ended: Evaluation, shown: Evaluation | None) -> bool:
    """Tell whether an ended evaluation is to be shown instead of what is shown."""
    if shown is None:
        return True
    if ended.verdict is Verdict.SCORED:
        ranked = shown.verdict is Verdict.SCORED and shown.reference.current
        return ended.reference.current or not ranked
    without_score = shown.status is Status.DONE and shown.verdict is not Verdict.SCORED
    return without_score and ended.verdict not in {Verdict.CANCELLED, Verdict.STALLED}


def _is_refunded(reason: str, *, never_started: bool) -> bool:
    fault = REASONS[reason].fault
    return fault is Fault.LETHE or (fault is Fault.NOBODY and never_started)


def _refund(session: Session, evaluation: Evaluation, actor: str, now: datetime) -> None:
    """Refund the submission's debit; a rerun cost none."""
    paid_for = evaluation.generation == 1 and evaluation.split == "public"
    if paid_for and quota.refund(session, evaluation.submission_id, now):
        log(session, "quota.refunded", actor, evaluation, now)
