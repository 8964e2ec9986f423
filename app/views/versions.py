"""What polls ask first: has anything changed? One query that reads no run's row into Python, and no JSON column."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app import submissions
from app.errors import NotFound
from app.models import Competition, Evaluation, Reference, Run, Submission, User
from app.reasons import REASONS
from app.schemas import LeaderboardOut, SubmissionOut
from app.status import Status, Verdict

_WORDS = repr((SubmissionOut.model_json_schema(), LeaderboardOut.model_json_schema(), REASONS))


@dataclass(frozen=True)
class Version:
    """A mark that changes with what the viewer may see, and whether nothing more will change by itself."""

    mark: str
    final: bool


def of_submission(session: Session, submission_id: str, viewer: User, now: datetime) -> Version:
    """Return the version of a submission. Raises NotFound unless it is the viewer's to see.

    Runs of what is done do not change any more and are not counted. A run that is taken up raises its fence, so that
    the counts and the sum of fences differ whenever any run's state does.
    """
    runs_that_move = and_(Run.evaluation_id == Evaluation.id, Evaluation.status != Status.DONE)
    columns = (
        Submission.user_id,
        Competition.closes_at,
        Evaluation.id,
        Evaluation.split,
        Evaluation.status,
        Evaluation.published,
        Evaluation.cancel_requested,
    )
    query = (
        select(*columns, Run.status, func.count(Run.id), func.sum(Run.fence))
        .select_from(Submission)
        .join(Competition)
        .join(Evaluation, Evaluation.submission_id == Submission.id)
        .outerjoin(Run, runs_that_move)
        .where(Submission.id == submission_id)
        .group_by(*columns, Run.status)
        .order_by(Evaluation.id, Run.status)
    )
    rows = session.execute(query).all()
    if not rows or not submissions.owns(viewer, rows[0].user_id):
        raise NotFound(submissions.NOT_YOURS)
    seen = [row for row in rows if submissions.may_see(row.split, viewer, row.closes_at, now)]
    mark = _digest([tuple(row[2:]) for row in seen])
    return Version(mark, all(row[4] is Status.DONE for row in seen))


def of_board(session: Session, slug: str, now: datetime) -> str:
    """Return a mark that changes with the leaderboard as of `now`. Raises NotFound."""
    is_current = and_(
        Reference.competition_id == Competition.id, Reference.split == "public", Reference.current
    )
    is_entry = and_(Submission.competition_id == Competition.id, Submission.created_at <= now)
    is_shown = and_(
        Evaluation.submission_id == Submission.id,
        Evaluation.split == "public",
        Evaluation.published,
        Evaluation.verdict == Verdict.SCORED,
        Evaluation.finished_at <= now,
    )
    query = (
        select(
            Competition.id,
            Reference.id,
            func.count(Submission.id),
            func.max(Submission.created_at),
            func.count(Evaluation.id),
            func.max(Evaluation.finished_at),
            func.sum(Evaluation.generation),
        )
        .outerjoin(Reference, is_current)
        .outerjoin(Submission, is_entry)
        .outerjoin(Evaluation, is_shown)
        .where(Competition.slug == slug)
        .group_by(Competition.id, Reference.id)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"There is no competition {slug[:64]!r}.")
    return _digest(tuple(row))


def _digest(value: object) -> str:
    return hashlib.sha256(f"{_WORDS}{value!r}".encode()).hexdigest()[:32]
