"""The leaderboard: each entrant's best published score on one split; an entrant is a person or a team.

Only scores under the split's current reference are ranked: scores under different references do not compare. After
the organiser has prepared another reference, a submission that was scored under an older one is ranked again once it
has been rerun.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, true
from sqlalchemy.orm import Session

from app import disqualification, entrants, ranking, registry
from app.competitions import Publish, Ranking
from app.entrants import whose
from app.models import (
    Competition,
    Evaluation,
    FinalEntry,
    Reference,
    Run,
    Score,
    Submission,
    Team,
    User,
)
from app.ranking import Candidate, Estimate, Place
from app.status import FinalState, RunKind, RunStatus, Status, Verdict

SHOWN: ColumnElement[bool] = Evaluation.published.expression


@dataclass(frozen=True)
class Entry:
    """One scored submission."""

    entrant_id: str
    team_name: str | None  # None where a person takes part alone
    user_name: str  # who sent it
    submission_id: str
    evaluation_id: str
    submitted_at: datetime
    score: float  # the one that ranks
    low: float | None  # of its interval
    high: float | None
    official_score: float
    calibrated_score: float | None
    forgetting_quality: float
    retain_ratio: float
    test_ratio: float
    flags: list[str]

    @property
    def entrant_name(self) -> str:
        """The team's name, or the person's."""
        return self.user_name if self.team_name is None else self.team_name


@dataclass(frozen=True)
class Row:
    """One entrant's place."""

    place: Place
    entry: Entry
    entries: int  # submissions so far, with or without a score
    last_at: datetime  # of the last submission
    median_seconds: float  # of the best submission's runs
    members: list[str]  # names; of a person, their own


@dataclass(frozen=True)
class Board:
    """The rows, best first, and what the order rests on."""

    ranking: Ranking
    rows: list[Row]
    without_interval: int  # rows that nothing is known of but their score
    graders: int  # versions of the grader that made the rows
    without_score: int  # submissions that are not ranked: they lack the score that ranks


def board(
    session: Session,
    competition: Competition,
    now: datetime,
    split: str = "public",
    shown: ColumnElement[bool] = SHOWN,
) -> Board:
    """Return a split's leaderboard as it stood at `now`; who may see it is the caller's to decide.

    `shown` says which evaluations count: others than the published ones where something is tried out.
    """
    config = registry.config_of(competition)
    by, publish = config.evaluation.ranking, config.publish
    entries, without_score = _entries(session, competition, _counted(now), by, split, shown=shown)
    best = _best(entries, publish)
    estimates = _estimates(session, best, by)
    activity = _activity(session, competition, now)
    seconds = _median_seconds(session, [entry.evaluation_id for entry in best])
    members = entrants.members(session, competition.id)
    rows = [
        Row(
            place,
            entry,
            *activity[entry.entrant_id],
            seconds[entry.evaluation_id],
            members.get(entry.entrant_id, [entry.user_name]),
        )
        for place, entry in zip(ranking.places(estimates, publish), best, strict=True)
    ]
    return Board(
        ranking=by,
        rows=rows,
        without_interval=sum(not one.replicates for one in estimates),
        graders=len({one.kind for one in estimates}),
        without_score=without_score,
    )


def best_of(session: Session, competition: Competition, entrant_id: str, now: datetime) -> str | None:
    """Return the submission by which one entrant ranks on the public split, if there is one."""
    config = registry.config_of(competition)
    by = config.evaluation.ranking
    entries, _ = _entries(session, competition, _counted(now), by, "public", entrant_id)
    return next((one.submission_id for one in _best(entries, config.publish)), None)


def scored(session: Session, competition: Competition) -> list[str]:
    """Return the submissions with a score that ranks on the public split, of all participants, best first.

    That is whatever any clock says of when they ended, and also what is disqualified.
    """
    config = registry.config_of(competition)
    entries, _ = _entries(session, competition, true(), config.evaluation.ranking, "public")
    return [one.submission_id for one in ranking.ordered(_candidates(entries), config.publish)]


def _candidates(entries: list[Entry]) -> list[Candidate]:
    return [Candidate(one.entrant_id, one.submission_id, one.submitted_at, one.score) for one in entries]


def scored_by(session: Session, competition: Competition, user_id: str, now: datetime) -> list[Entry]:
    """Return the scored submissions of a person, or of their team, on the public split, the newest first."""
    by = registry.config_of(competition).evaluation.ranking
    entrant = entrants.of(session, user_id, competition.id)
    entries, _ = _entries(session, competition, _counted(now), by, "public", entrant.id)
    return sorted(entries, key=lambda one: one.submitted_at, reverse=True)


def history(session: Session, competition: Competition, now: datetime, split: str) -> list[Entry]:
    """Return all scored submissions under a split's current reference, the first sent first."""
    by = registry.config_of(competition).evaluation.ranking
    entries, _ = _entries(session, competition, _counted(now), by, split)
    found = [one for one in entries if math.isfinite(one.score)]
    return sorted(found, key=lambda one: (one.submitted_at, one.submission_id))


def _best(entries: list[Entry], publish: Publish) -> list[Entry]:
    by_id = {one.submission_id: one for one in entries}
    return [by_id[one.submission_id] for one in ranking.best(_candidates(entries), publish)]


def _counted(now: datetime) -> ColumnElement[bool]:
    """Return what holds for evaluations that had ended by `now`, of submissions that are not disqualified."""
    return and_(Evaluation.finished_at <= now, disqualification.counts())


def _entries(
    session: Session,
    competition: Competition,
    counted: ColumnElement[bool],
    by: Ranking,
    split: str,
    entrant_id: str | None = None,
    shown: ColumnElement[bool] = SHOWN,
) -> tuple[list[Entry], int]:
    """Return the scored submissions, of all or of one, and how many more lack the score that ranks."""
    query = _columns(by).where(
        Submission.competition_id == competition.id,
        Evaluation.split == split,
        shown,
        Score.current,
        Reference.current,
        Evaluation.status == Status.DONE,
        Evaluation.verdict == Verdict.SCORED,
        counted,
    )
    if split == "private":  # where final entries alone count, whatever else an organiser has had evaluated
        query = query.join(FinalEntry, FinalEntry.submission_id == Submission.id).where(
            FinalEntry.state == FinalState.ENTERED
        )
    if entrant_id is not None:
        query = query.where(whose == entrant_id)
    rows = [tuple(row) for row in session.execute(query)]
    entries = [Entry(*row) for row in rows if row[6] is not None]
    return entries, len(rows) - len(entries)


def _columns(by: Ranking) -> Select[*tuple[Any, ...]]:
    """Ask for what an Entry holds, in its order, of every score."""
    numbers = {"official": Score.score, "calibrated": Score.calibrated_score}
    intervals = {
        "official": (Score.interval_low, Score.interval_high),
        "calibrated": (Score.calibrated_low, Score.calibrated_high),
    }
    return (
        select(
            whose,
            Team.name,
            User.name,
            Submission.id,
            Evaluation.id,
            Submission.created_at,
            numbers[by],
            *intervals[by],
            Score.score,
            Score.calibrated_score,
            Score.forgetting_quality,
            Score.retain_ratio,
            Score.test_ratio,
            Score.flags,
        )
        .join(Submission, Submission.user_id == User.id)
        .outerjoin(Team, Team.id == Submission.team_id)
        .join(Evaluation, Evaluation.submission_id == Submission.id)
        .join(Score, Score.evaluation_id == Evaluation.id)
        .join(Reference, Reference.id == Evaluation.reference_id)
    )


def _estimates(session: Session, entries: list[Entry], by: Ranking) -> list[Estimate]:
    """Return the scores that rank with their replicates, which are read for the ranked submissions alone."""
    query = select(Score.evaluation_id, Score.grader_version, Score.replicates).where(
        Score.evaluation_id.in_([entry.evaluation_id for entry in entries]), Score.current
    )
    found = {evaluation_id: (version, kept) for evaluation_id, version, kept in session.execute(query)}
    estimates = []
    for entry in entries:
        version, kept = found[entry.evaluation_id]
        estimates.append(Estimate(entry.score, tuple(kept.get(by, ())), version))
    return estimates


def _activity(session: Session, competition: Competition, now: datetime) -> dict[str, tuple[int, datetime]]:
    query = (
        select(whose, func.count(Submission.id), func.max(Submission.created_at))
        .where(Submission.competition_id == competition.id, Submission.created_at <= now)
        .group_by(whose)
    )
    return {entrant_id: (count, last) for entrant_id, count, last in session.execute(query)}


def _median_seconds(session: Session, evaluation_ids: list[str]) -> dict[str, float]:
    query = select(Run.evaluation_id, Run.seconds).where(
        Run.evaluation_id.in_(evaluation_ids),
        Run.status == RunStatus.SUCCEEDED,
        Run.kind == RunKind.SEED,
    )
    seconds: dict[str, list[float]] = {}
    for evaluation_id, value in session.execute(query):
        assert value is not None, "a succeeded run has its seconds"
        seconds.setdefault(evaluation_id, []).append(value)
    return {evaluation_id: median(values) for evaluation_id, values in seconds.items()}
