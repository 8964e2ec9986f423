"""A new evaluation with its queued runs."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import events
from app.evaluations import turns
from app.models import Evaluation, Reference, Run, Submission
from app.registry import config_of
from app.status import Lane, RunKind, RunStatus, Status

SMOKE_INDEX = -1
"""Stands before every seed in the queue's order."""


def fresh_seeds(count: int) -> Sequence[int]:
    """Return `count` distinct, unpredictable seeds of 31 bits."""
    return random.SystemRandom().sample(range(2**31), count)


def create(  # noqa: PLR0913 - what, on what, when, and its place in the queue
    session: Session,
    submission: Submission,
    reference: Reference,
    cutoff_fraction: float,
    seeds: Sequence[int],
    *,
    published: bool,
    now: datetime,
    due: datetime,
    actor: str = "service",
    smoke_seed: int | None = None,
    in_turn: bool | None = None,
    rerun_id: str | None = None,
) -> Evaluation:
    """Insert the next generation of a submission on the reference's split, with one queued run for each seed.

    `cutoff_fraction` is of one retraining's seconds on whatever device takes a run. It is frozen here: a competition
    that changes its own changes no evaluation that there is. With `smoke_seed` a run on the reference's public data is
    queued before them; it counts nowhere. A participant's first, and whatever else is made `in_turn`, goes before reruns
    and waits its turn; the caller holds the participant's row. With `rerun_id` it waits, once it has ended, for the
    decision on that rerun.
    """
    generation = _next_generation(session, submission.id, reference.split)
    asked_for = generation == 1 and reference.split == "public" if in_turn is None else in_turn
    place = _place(session, submission, reference, now, in_turn=asked_for)
    smoke = [] if smoke_seed is None else [_run(SMOKE_INDEX, smoke_seed, place, RunKind.SMOKE)]
    evaluation = Evaluation(
        id=uuid4().hex,
        submission_id=submission.id,
        reference_id=reference.id,
        split=reference.split,
        generation=generation,
        status=Status.QUEUED,
        published=published,
        cancel_requested=False,
        rerun_id=rerun_id,
        n_runs=len(seeds),
        cutoff_fraction=cutoff_fraction,
        cutoff_seconds=cutoff_fraction * reference.retrain_seconds,
        fence=0,
        losses=0,
        due_at=due,
        created_at=now,
        runs=[*smoke, *(_run(index, seed, place) for index, seed in enumerate(seeds))],
    )
    session.add(evaluation)
    session.flush()
    _tell(session, evaluation, actor, now, smoke=bool(smoke))
    return evaluation


def _place(
    session: Session, submission: Submission, reference: Reference, now: datetime, *, in_turn: bool
) -> dict[str, Any]:
    """Return where in the queue the runs stand: in the entrant's turn, or behind everybody's."""
    device = config_of(reference.competition).evaluation.device
    return {
        "reference_id": reference.id,
        "lane": Lane.NORMAL if in_turn else Lane.LOW,
        "turn": turns.take(session, submission, device) if in_turn else 0,
        "queued_at": now,
    }


def _tell(session: Session, evaluation: Evaluation, actor: str, now: datetime, *, smoke: bool) -> None:
    detail = f"{evaluation.split}, generation {evaluation.generation}, {evaluation.n_runs} runs"
    events.write(
        session,
        "evaluation.queued",
        actor,
        now,
        submission_id=evaluation.submission_id,
        evaluation_id=evaluation.id,
        detail=detail + (", after a smoke run" if smoke else ""),
    )


def _next_generation(session: Session, submission_id: str, split: str) -> int:
    newest = session.scalar(
        select(func.max(Evaluation.generation)).where(
            Evaluation.submission_id == submission_id, Evaluation.split == split
        )
    )
    return (newest or 0) + 1


def _run(index: int, seed: int, place: dict[str, Any], kind: RunKind = RunKind.SEED) -> Run:
    return Run(
        id=uuid4().hex,
        kind=kind,
        seed_index=index,
        seed=seed,
        status=RunStatus.QUEUED,
        fence=0,
        losses=0,
        **place,
    )
