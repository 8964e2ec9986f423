"""Many submissions graded again at once, unseen; then what came of it is published together, or dropped.

Each is a new evaluation beside the old, as a single rerun makes one, but it stays unpublished when it ends, and only
organisers and admins see it. Whatever is still open on a split of a submission, nothing else is graded there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, or_, select, true, tuple_, update
from sqlalchemy.orm import Session, aliased

from app import access, evaluations, events, registry, submissions
from app.db import UnitOfWork
from app.errors import BadRequest, Conflict, NotFound
from app.evaluations.locks import changed
from app.models import Competition, Evaluation, Reference, Rerun, Submission, User
from app.queue import Doorbell
from app.status import Lane, Status

MOST = 500
"""Submissions in one rerun: making them is one transaction."""

UNDER_WAY = "an evaluation of it is under way, or waits for a decision"
UNPREPARED = "its split has no reference"


@dataclass(frozen=True)
class Made:
    """A rerun, how many evaluations are in it, and what was left out: (submission, split, why)."""

    id: str
    count: int
    left_out: tuple[tuple[str, str, str], ...]


def are_of(viewer: User) -> ColumnElement[bool]:
    """Return what holds for reruns that are somebody's: they organise the competition of each evaluation in it."""
    reach = access.reach(viewer)
    if reach is None:
        return true()
    one = aliased(Evaluation)
    elsewhere = (
        select(one.id)
        .join(Submission, Submission.id == one.submission_id)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(one.rerun_id == Rerun.id, Competition.slug.not_in(reach))
    )
    return ~elsewhere.correlate(Rerun).exists()


def get(session: Session, rerun_id: str, viewer: User) -> Rerun:
    """Return a rerun to whoever organises all of its competitions. Raises NotFound."""
    found = session.scalar(select(Rerun).where(Rerun.id == rerun_id, are_of(viewer)))
    if found is None:
        raise NotFound("There is no such rerun, or not all of it is yours.")
    return found


def make(
    session: UnitOfWork,
    evaluation_ids: Collection[str],
    reason: str,
    actor: User,
    now: datetime,
    *,
    queue_due: timedelta,
    bell: Doorbell,
) -> Made:
    """Queue a new evaluation for each submission and split that these evaluations are of, and wake workers.

    Those of which something is still open are left out. Raises BadRequest for none or too many, NotFound for one
    that is unknown or not the actor's to rerun, and Conflict when all are left out.
    """
    chosen = _chosen(session, evaluation_ids, actor)
    ids = sorted({submission_id for submission_id, _ in chosen})
    locked = select(Submission).where(Submission.id.in_(ids)).order_by(Submission.id)
    found = {one.id: one for one in session.scalars(locked.with_for_update(key_share=True))}
    left_out = _left_out(session, found, chosen)
    wanted = [pair for pair in chosen if pair not in left_out]
    if not wanted:
        why = " ".join(sorted({f"{word[0].upper()}{word[1:]}." for word in left_out.values()}))
        raise Conflict(f"None of these can be graded again now. {why}")
    rerun = Rerun(id=uuid4().hex, reason=reason, actor=actor.name, created_at=now)
    session.add(rerun)
    session.flush()
    references: dict[tuple[str, str], Reference] = {}
    for submission_id, split in wanted:
        _evaluate(session, found[submission_id], split, rerun, references, now, now + queue_due)
    events.write(session, "rerun.made", actor.name, now, detail=f"{rerun.id}, {len(wanted)}: {reason}")
    devices = {registry.config_of(found[one].competition).evaluation.device for one, _ in wanted}
    for device in sorted(devices):
        session.after_commit(lambda device=device: bell.ring(device, Lane.LOW))  # type: ignore[misc]
    return Made(rerun.id, len(wanted), tuple((*pair, why) for pair, why in left_out.items()))


def _chosen(session: Session, evaluation_ids: Collection[str], actor: User) -> list[tuple[str, str]]:
    """Return the submissions and splits of evaluations, each once."""
    if not evaluation_ids:
        raise BadRequest("Nothing is chosen.", advice="Choose at least one evaluation.")
    if len(set(evaluation_ids)) > MOST:
        raise BadRequest(f"At most {MOST} at once.", advice="Choose fewer, or narrow the filter.")
    query = (
        select(Evaluation.submission_id, Evaluation.split, Competition.slug)
        .join(Submission, Submission.id == Evaluation.submission_id)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(Evaluation.id.in_(evaluation_ids))
    )
    rows = [row for row in session.execute(query) if access.organises(actor, row.slug)]
    if len(rows) != len(set(evaluation_ids)):
        raise NotFound("One of the chosen evaluations does not exist, or is not yours to rerun.")
    return sorted({(submission_id, split) for submission_id, split, _ in rows})


def _left_out(
    session: Session, found: dict[str, Submission], chosen: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return which cannot be graded again now, and why."""
    still_open = select(Evaluation.submission_id, Evaluation.split).where(
        tuple_(Evaluation.submission_id, Evaluation.split).in_(chosen),
        or_(Evaluation.status != Status.DONE, submissions.undecided()),
    )
    left_out = dict.fromkeys(
        [(row.submission_id, row.split) for row in session.execute(still_open)], UNDER_WAY
    )
    prepared = select(Reference.competition_id, Reference.split).where(Reference.current)
    known = {(one, split) for one, split in session.execute(prepared)}
    for one, split in chosen:
        if (found[one].competition_id, split) not in known:
            left_out[one, split] = UNPREPARED
    return left_out


def _evaluate(
    session: Session,
    submission: Submission,
    split: str,
    rerun: Rerun,
    references: dict[tuple[str, str], Reference],
    now: datetime,
    due: datetime,
) -> None:
    """Queue one evaluation of a rerun."""
    place = submission.competition_id, split
    if place not in references:
        references[place] = registry.current_reference(session, submission.competition, split)
    evaluation = submissions.evaluate(
        session,
        submission,
        registry.config_of(submission.competition),
        references[place],
        evaluations.fresh_seeds(references[place].n_models),
        actor=rerun.actor,
        now=now,
        due=due,
        rerun_id=rerun.id,
    )
    events.write(
        session,
        "evaluation.rerun_asked",
        rerun.actor,
        now,
        submission_id=submission.id,
        evaluation_id=evaluation.id,
        detail=rerun.reason,
    )


def apply(session: Session, rerun_id: str, actor: User, now: datetime) -> int:
    """Publish all of a rerun that says more than what is shown; return how many did.

    Raises NotFound, and Conflict while some of it is under way and when it is decided already.
    """
    rerun, members = _locked(session, rerun_id, actor)
    going = sum(one.status is not Status.DONE for one in members)
    if going and rerun.decision is None:
        raise Conflict(
            f"{going} of its evaluations are still under way.", advice="Wait for them, or cancel them."
        )
    _decide(session, rerun, "applied", actor, now)
    published = sum(evaluations.publish(session, one, actor.name, now) for one in members)
    detail = f"{rerun.id}, {published} of {len(members)} are shown: {rerun.reason}"
    events.write(session, "rerun.applied", actor.name, now, detail=detail)
    return published


def drop(session: Session, rerun_id: str, actor: User, now: datetime) -> None:
    """Publish nothing of a rerun, and stop what of it is under way. Raises NotFound, and Conflict when it is decided."""
    rerun, members = _locked(session, rerun_id, actor)
    _decide(session, rerun, "dropped", actor, now)
    for one in members:
        evaluations.cancel(session, one, actor.name, now)
    detail = f"{rerun.id}, {len(members)}: {rerun.reason}"
    events.write(session, "rerun.dropped", actor.name, now, detail=detail)


def _locked(session: Session, rerun_id: str, actor: User) -> tuple[Rerun, Sequence[Evaluation]]:
    """Lock a rerun's evaluations, and what is shown beside them, in the order of ids."""
    rerun = get(session, rerun_id, actor)
    members = select(Evaluation.submission_id, Evaluation.split).where(Evaluation.rerun_id == rerun.id)
    beside = tuple_(Evaluation.submission_id, Evaluation.split).in_(members)
    ids = select(Evaluation.id).where(or_(Evaluation.rerun_id == rerun.id, beside & Evaluation.published))
    locked = evaluations.lock(session, session.scalars(ids).all())
    return rerun, [one for one in locked if one.rerun_id == rerun.id]


def _decide(session: Session, rerun: Rerun, decision: str, actor: User, now: datetime) -> None:
    """Settle a rerun, unless somebody has: whoever updates the row has won."""
    guard = update(Rerun).where(Rerun.id == rerun.id, Rerun.decision.is_(None))
    won = changed(session, guard.values(decision=decision, decided_at=now, decided_by=actor.name))
    session.refresh(rerun)
    if not won:
        raise Conflict(f"It was {rerun.decision} already, by {rerun.decided_by}.")
