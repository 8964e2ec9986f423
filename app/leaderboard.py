"""The leaderboard: each participant's best published score on the public split.

Only scores under the split's current reference are ranked: scores under different references do not compare. After
the organiser has prepared another reference, a submission that was scored under an older one is ranked again once an
admin has rerun it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Competition, Evaluation, Reference, Run, Score, Submission, User
from app.status import RunStatus, Status, Verdict


@dataclass(frozen=True)
class Entry:
    """One scored submission."""

    user_name: str
    submission_id: str
    evaluation_id: str
    score: float
    forgetting_quality: float
    retain_ratio: float
    test_ratio: float
    submitted_at: datetime


@dataclass(frozen=True)
class Row:
    """One participant's place."""

    rank: int
    user_name: str
    submission_id: str
    score: float
    forgetting_quality: float
    retain_ratio: float
    test_ratio: float
    entries: int  # submissions so far, with or without a score
    last_at: datetime  # of the last submission
    median_seconds: float  # of the best submission's runs


def rank(entries: Iterable[Entry]) -> list[tuple[int, Entry]]:
    """Keep each participant's best entry and number them 1, 2, ...; a tie goes to the earlier submission."""
    best: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda e: (-e.score, e.submitted_at, e.submission_id)):
        best.setdefault(entry.user_name, entry)
    return list(enumerate(best.values(), start=1))


def board(session: Session, competition: Competition, now: datetime) -> list[Row]:
    """Return the public leaderboard as it stood at `now`, best first."""
    places = rank(_entries(session, competition, now))
    activity = _activity(session, competition, now)
    seconds = _median_seconds(session, [entry.evaluation_id for _, entry in places])
    return [
        Row(
            rank=place,
            user_name=entry.user_name,
            submission_id=entry.submission_id,
            score=entry.score,
            forgetting_quality=entry.forgetting_quality,
            retain_ratio=entry.retain_ratio,
            test_ratio=entry.test_ratio,
            entries=activity[entry.user_name][0],
            last_at=activity[entry.user_name][1],
            median_seconds=seconds[entry.evaluation_id],
        )
        for place, entry in places
    ]


def _entries(session: Session, competition: Competition, now: datetime) -> list[Entry]:
    query = (
        select(
            User.name,
            Submission.id,
            Evaluation.id,
            Score.score,
            Score.forgetting_quality,
            Score.retain_ratio,
            Score.test_ratio,
            Submission.created_at,
        )
        .join(Submission, Submission.user_id == User.id)
        .join(Evaluation, Evaluation.submission_id == Submission.id)
        .join(Score, Score.evaluation_id == Evaluation.id)
        .join(Reference, Reference.id == Evaluation.reference_id)
        .where(
            Submission.competition_id == competition.id,
            Evaluation.split == "public",
            Evaluation.published,
            Score.current,
            Reference.current,
            Evaluation.status == Status.DONE,
            Evaluation.verdict == Verdict.SCORED,
            Evaluation.finished_at <= now,
        )
    )
    return [Entry(*row) for row in session.execute(query)]


def _activity(session: Session, competition: Competition, now: datetime) -> dict[str, tuple[int, datetime]]:
    query = (
        select(User.name, func.count(Submission.id), func.max(Submission.created_at))
        .join(Submission, Submission.user_id == User.id)
        .where(Submission.competition_id == competition.id, Submission.created_at <= now)
        .group_by(User.name)
    )
    return {name: (count, last) for name, count, last in session.execute(query)}


def _median_seconds(session: Session, evaluation_ids: list[str]) -> dict[str, float]:
    query = select(Run.evaluation_id, Run.seconds).where(
        Run.evaluation_id.in_(evaluation_ids), Run.status == RunStatus.SUCCEEDED
    )
    seconds: dict[str, list[float]] = {}
    for evaluation_id, value in session.execute(query):
        assert value is not None, "a succeeded run has its seconds"
        seconds.setdefault(evaluation_id, []).append(value)
    return {evaluation_id: median(values) for evaluation_id, values in seconds.items()}
