"""The evaluations of final entries on the private split, queued a few at a time once the close has taken the entries.

A thousand entrants' are tens of thousands of rows: in one transaction they would keep every other writer out of an SQLite
database for longer than it waits. An entry that has no evaluation on the private split still waits for one. There is no
other state, so that whoever looks next goes on where a process died.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from app import evaluations, registry
from app.competitions import CompetitionConfig
from app.errors import NotPrepared
from app.models import Competition, Evaluation, FinalEntry, Reference, Submission, Team, User
from app.status import FinalState, Status, Verdict

ACTOR = "close"
_MOST = 25
_MOST_RUNS = 500
"""In one transaction, which takes a fifth of a second."""


@dataclass(frozen=True)
class Queued:
    """What one transaction has come to."""

    device: str  # the class of devices that may run them
    more: bool  # whether others may wait still


def waiting(session: Session, competition: Competition) -> int:
    """Count the final entries whose evaluation on the private split has not been made."""
    entries = select(func.count(FinalEntry.submission_id)).join(
        Submission, Submission.id == FinalEntry.submission_id
    )
    return session.scalar(entries.where(*_unmade(competition.id))) or 0


def queue_some(session: Session, competition_id: str, now: datetime, queue_due: timedelta) -> Queued | None:
    """Queue the evaluations of a few final entries that wait for theirs; None when there is nothing to do.

    The competition's lock lets one process at a time choose which.
    """
    competition = session.get_one(
        Competition, competition_id, with_for_update={"key_share": True}, populate_existing=True
    )
    try:
        reference = registry.current_reference(session, competition, "private")
    except NotPrepared:
        return None
    config = registry.config_of(competition)
    most = max(1, min(_MOST, _MOST_RUNS // reference.n_models))
    entered = (
        select(Submission)
        .join(FinalEntry, FinalEntry.submission_id == Submission.id)
        .where(*_unmade(competition_id))
        .order_by(Submission.created_at, Submission.id)
        .limit(most)
    )
    found = session.scalars(entered).all()
    evaluate(session, found, reference, config, now, now + queue_due)
    return Queued(config.evaluation.device, more=len(found) == most) if found else None


def _unmade(competition_id: str) -> list[ColumnElement[bool]]:
    private = exists().where(Evaluation.submission_id == Submission.id, Evaluation.split == "private")
    return [
        FinalEntry.competition_id == competition_id,
        FinalEntry.state == FinalState.ENTERED,
        ~private.correlate(Submission),
    ]


def evaluate(
    session: Session,
    submissions: Sequence[Submission],
    reference: Reference,
    config: CompetitionConfig,
    now: datetime,
    due: datetime,
) -> None:
    """Queue an evaluation of each, in its entrant's turn, but where there is one under the same reference already."""
    _lock(session, submissions)
    for submission in submissions:
        session.refresh(submission, ["evaluations"])  # an organiser may have asked for a rerun meanwhile
        private = [one for one in submission.evaluations if one.split == reference.split]
        if any(_holds(one, reference) for one in private):
            continue
        evaluations.create(
            session,
            submission,
            reference,
            config.evaluation.cutoff_fraction,
            evaluations.fresh_seeds(reference.n_models),
            published=not any(one.published for one in private),
            now=now,
            due=due,
            actor=ACTOR,
            in_turn=True,
        )


def _lock(session: Session, submissions: Sequence[Submission]) -> None:
    """Lock entrants, for their turns, and submissions, as a rerun does."""
    people = select(User.id).where(User.id.in_({one.user_id for one in submissions})).order_by(User.id)
    teams = select(Team.id).where(Team.id.in_({one.team_id for one in submissions})).order_by(Team.id)
    sent = select(Submission.id).where(Submission.id.in_({one.id for one in submissions}))
    for locked in (people, teams, sent.order_by(Submission.id)):
        session.execute(locked.with_for_update(key_share=True))


def _holds(evaluation: Evaluation, reference: Reference) -> bool:
    """Tell whether an evaluation that an organiser asked for before will do: it is under way or has a score."""
    fine = evaluation.status is not Status.DONE or evaluation.verdict is Verdict.SCORED
    return fine and evaluation.reference_id == reference.id
