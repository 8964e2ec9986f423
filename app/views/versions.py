"""What polls ask first: has anything changed? One query that reads no run's row into Python, and no JSON column."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, and_, bindparam, func, select
from sqlalchemy.orm import Session

from app import access, disqualification, ranking, registry, submissions
from app.competitions import Split
from app.errors import NotFound
from app.flags import FLAGS
from app.models import (
    Competition,
    Disqualification,
    Evaluation,
    Event,
    Reference,
    Rerun,
    Run,
    Submission,
    TeamMember,
    User,
    UTCDateTime,
)
from app.reasons import REASONS
from app.schemas.boards import LeaderboardOut
from app.schemas.submissions import SubmissionOut
from app.status import Status, Verdict

_TIES = (ranking.TIES, ranking.NO_TIES, ranking.SOME_TIES, ranking.OTHER_GRADER)
_WORDS = hashlib.sha256(
    repr(
        (SubmissionOut.model_json_schema(), LeaderboardOut.model_json_schema(), REASONS, FLAGS, _TIES)
    ).encode()
)
"""The form of the answers, so that another release's answer never passes for this one's."""


# Both are built once: SQLAlchemy takes longer to build such a statement than a database to answer it.
_STATES = (
    Submission.user_id,
    TeamMember.user_id.label("member_id"),  # the viewer's, if they are in its team
    Submission.id,  # this and the next for what hangs on them
    Submission.competition_id,
    Competition.slug,
    Competition.revealed_at,
    Competition.team_changes,
    Competition.updated_at,  # moves with the configuration, and when scores of another grader are published
    Evaluation.id.label("evaluation_id"),
    Evaluation.split,
    Evaluation.status,
    Evaluation.published,
    Evaluation.cancel_requested,
    Evaluation.rerun_id,
    Rerun.decision,
    Run.status,
)
_DISQUALIFIED = (
    select(func.count(Disqualification.id) + func.count(Disqualification.lifted_at))
    .where(disqualification.concerns())
    .correlate(Submission)
    .scalar_subquery()
)
"""Grows with each decision, whether it takes out or brings back."""
_DECISIONS = (
    select(func.count(Disqualification.id) + func.count(Disqualification.lifted_at))
    .where(Disqualification.competition_id == Competition.id)
    .correlate(Competition)
    .scalar_subquery()
)
_SUBMISSION = (
    select(*_STATES, func.count(Run.id), func.sum(Run.fence), _DISQUALIFIED)
    .select_from(Submission)
    .join(Competition)
    .join(Evaluation, Evaluation.submission_id == Submission.id)
    .outerjoin(
        TeamMember,
        and_(TeamMember.team_id == Submission.team_id, TeamMember.user_id == bindparam("viewer")),
    )
    .outerjoin(Rerun, Rerun.id == Evaluation.rerun_id)
    .outerjoin(Run, and_(Run.evaluation_id == Evaluation.id, Evaluation.status != Status.DONE))
    .where(Submission.id == bindparam("id"))
    .group_by(*_STATES)
    .order_by(Evaluation.id, Run.status)
)
_EVALUATED = (
    Evaluation.split,
    Evaluation.rerun_id,
    Rerun.decision,
    Competition.slug,
    Competition.revealed_at,
)
_NEWEST = (
    select(func.max(Event.id).label("newest"), *_EVALUATED)
    .select_from(Event)
    .join(Submission, Submission.id == Event.submission_id)
    .join(Competition)
    .outerjoin(Evaluation, Evaluation.id == Event.evaluation_id)
    .outerjoin(Rerun, Rerun.id == Evaluation.rerun_id)
    .where(Event.submission_id == bindparam("id"))
    .group_by(*_EVALUATED)
)
_NOW = bindparam("now", type_=UTCDateTime())
_SPLIT = bindparam("split", type_=String())
_BOARD = (
    select(
        Competition.id,
        Competition.updated_at,
        Competition.team_changes,
        Reference.id,
        func.count(Submission.id),
        func.max(Submission.created_at),
        func.count(Evaluation.id),
        func.max(Evaluation.finished_at),
        func.sum(Evaluation.generation),
        _DECISIONS,
    )
    .outerjoin(
        Reference,
        and_(Reference.competition_id == Competition.id, Reference.split == _SPLIT, Reference.current),
    )
    .outerjoin(Submission, and_(Submission.competition_id == Competition.id, Submission.created_at <= _NOW))
    .outerjoin(
        Evaluation,
        and_(
            Evaluation.submission_id == Submission.id,
            Evaluation.split == _SPLIT,
            Evaluation.published,
            Evaluation.verdict == Verdict.SCORED,
            Evaluation.finished_at <= _NOW,
        ),
    )
    .where(Competition.slug == bindparam("slug"))
    .group_by(Competition.id, Reference.id)
)


@dataclass(frozen=True)
class Version:
    """A mark that changes with what the viewer may see, and whether nothing more will change by itself."""

    mark: str
    final: bool
    active: str | None
    """The evaluation that is shown, while it is not done."""


def of_submission(session: Session, submission_id: str, viewer: User) -> Version:
    """Return the version of a submission. Raises NotFound unless it is the viewer's to see.

    Runs of what is done do not change any more and are not counted. A run that is taken up raises its fence, so that
    the counts and the sum of fences differ whenever any run's state does.
    """
    rows = session.execute(_SUBMISSION, {"id": submission_id, "viewer": viewer.id}).all()
    if not rows or not access.may_read(viewer, {rows[0].user_id, rows[0].member_id}, rows[0].slug):
        raise NotFound(submissions.NOT_YOURS)
    seen = [row for row in rows if _may_see(row, viewer)]
    # whoever organises its competition is told of more that they may stop
    mark = _digest((access.organises(viewer, rows[0].slug), [tuple(row[6:]) for row in seen]))
    final = all(row.status is Status.DONE for row in seen)
    return Version(mark, final, next((row.evaluation_id for row in seen if _is_active(row)), None))


def newest_event(session: Session, submission_id: str, viewer: User) -> int:
    """Return the number of the newest event of a submission that the viewer may know of; 0 when there is none.

    Nothing tells a participant of what happens on the private split before it is revealed, or of a rerun of many
    before it is applied.
    """
    rows = session.execute(_NEWEST, {"id": submission_id})
    return max((row.newest for row in rows if row.split is None or _may_see(row, viewer)), default=0)


def _is_active(row: Any) -> bool:
    return row.split == "public" and row.published and row.status is not Status.DONE


def _may_see(row: Any, viewer: User) -> bool:
    held = row.rerun_id is not None and row.decision != "applied"
    return access.may_see_split(viewer, row.split, row.slug, row.revealed_at, held=held)


def of_board(session: Session, slug: str, now: datetime, split: Split = "public") -> str:
    """Return a mark that changes with a split's leaderboard as of `now`. Raises NotFound.

    The private one's changes with the public one too, whose places stand beside it.
    """
    rows = []
    for one in dict.fromkeys(("public", split)):
        row = session.execute(_BOARD, {"slug": slug, "now": now, "split": one}).one_or_none()
        if row is None:
            raise registry.unknown(slug)
        rows.append(tuple(row))
    return _digest((split, rows))


def _digest(value: object) -> str:
    digest = _WORDS.copy()
    digest.update(repr(value).encode())
    return digest.hexdigest()[:32]
