"""Two submissions side by side, each as far as the viewer may see it."""

from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy.orm import Session

from app import access, comparison, leaderboard, registry, submissions
from app.charts import histogram, places, roc
from app.charts.histogram import Histogram
from app.charts.places import PlacesChart
from app.charts.roc import RocChart
from app.comparison import Side
from app.competitions import CompetitionConfig
from app.errors import BadRequest, Conflict, Forbidden, NotFound
from app.models import Competition, Evaluation, Score, Submission, User
from app.schemas.compare import ComparisonOut, DifferenceOut, SideOut
from app.schemas.scores import SummaryOut
from app.views import plots
from app.views.competitions import decimals_of

MOST_CHOICES = 60


@dataclass(frozen=True)
class _Found:
    """A submission's published score, and whether all of it is the viewer's to see."""

    submission: Submission
    evaluation: Evaluation
    score: Score
    yours: bool


def compare(session: Session, slug: str, ids: tuple[str, str], viewer: User, now: datetime) -> ComparisonOut:
    """Compare two submissions of a competition.

    Each is one's own, or an entry of the leaderboard, with which both are compared by published numbers alone; at least
    one is one's own. An organiser's are all. Raises NotFound, BadRequest, Forbidden, and Conflict for one without a score.
    """
    if ids[0] == ids[1]:
        raise BadRequest("These are one submission.", advice="Choose two different ones.")
    competition = registry.get_competition(session, slug)
    found = [_find(session, competition, one, viewer, now) for one in ids]
    if not any(one.yours for one in found):
        raise Forbidden("Neither of them is yours.", advice="Compare one of your own with another entry.")
    config = registry.config_of(competition)
    exact = all(one.yours for one in found)
    sides = [_side(one, config, exact=exact) for one in found]
    difference = comparison.compare(sides[0], sides[1], config.publish)
    first, second = (_out(one, config) for one in found)
    return ComparisonOut(
        competition=slug,
        ranked_by=config.evaluation.ranking,
        decimals=decimals_of(config.publish),
        first=first,
        second=second,
        difference=DifferenceOut.rounded(
            config.publish,
            value=difference.value,
            interval_low=difference.low,
            interval_high=difference.high,
            method=difference.method,
        ),
        verdict=difference.verdict,
        words=difference.words,
    )


def _find(
    session: Session, competition: Competition, submission_id: str, viewer: User, now: datetime
) -> _Found:
    try:
        submission, yours = submissions.get(session, submission_id, viewer), True
    except NotFound:
        board = leaderboard.board(session, competition, now)
        if submission_id not in {row.entry.submission_id for row in board.rows}:
            raise
        submission, yours = session.get_one(Submission, submission_id), False
    if submission.competition_id != competition.id:
        raise NotFound(submissions.NOT_YOURS)
    evaluation = submissions.published_evaluation(submission)
    if evaluation.score is None:
        raise Conflict(
            f"Submission {submission.id[:8]} has no score to compare.", advice="Choose one that is scored."
        )
    return _Found(submission, evaluation, evaluation.score, yours)


def _ranking_numbers(
    score: Score, config: CompetitionConfig
) -> tuple[float | None, float | None, float | None]:
    if config.evaluation.ranking == "official":
        return score.score, score.interval_low, score.interval_high
    return score.calibrated_score, score.calibrated_low, score.calibrated_high


def _side(one: _Found, config: CompetitionConfig, *, exact: bool) -> Side:
    """Return what is compared: exactly, with replicates, or the numbers as they are published."""
    numbers = _ranking_numbers(one.score, config)
    published = (None if value is None else config.publish.score(value) for value in numbers)
    score, low, high = numbers if exact else published
    kept = one.score.replicates.get(config.evaluation.ranking)
    return Side(
        score,
        low,
        high,
        reference=one.score.reference_digest,
        grader=one.score.grader_version,
        replicates=tuple(kept) if exact and kept else None,
    )


def _out(one: _Found, config: CompetitionConfig) -> SideOut:
    score, submission = one.score, one.submission
    ranked, low, high = _ranking_numbers(score, config)
    seconds = [run.seconds for run in one.evaluation.seed_runs if run.seconds is not None]
    own: dict[str, Any] = dict.fromkeys(("note", "created_at", "summary", "slowest_seconds"))
    if one.yours:
        own = {
            "note": submission.note,
            "created_at": submission.created_at,
            "summary": None if score.summary is None else SummaryOut.rounded(config.publish, **score.summary),
            "slowest_seconds": max(seconds, default=None),
        }
    return SideOut.rounded(
        config.publish,
        submission_id=submission.id,
        entrant=submission.user.name if submission.team is None else submission.team.name,
        yours=one.yours,
        score=ranked,
        interval_low=low,
        interval_high=high,
        official_score=score.score,
        calibrated_score=score.calibrated_score,
        forgetting_quality=score.forgetting_quality,
        retain_ratio=score.retain_ratio,
        test_ratio=score.test_ratio,
        flags=score.flags,
        runs=one.evaluation.n_runs,
        median_seconds=median(seconds) if seconds else None,
        grader_version=score.grader_version,
        reference_version=one.evaluation.reference.version,
        **own,
    )


@dataclass(frozen=True)
class Pictures:
    """What is drawn of a comparison; each is None where there is nothing to draw."""

    scores: PlacesChart | None
    histogram: Histogram | None
    roc: RocChart | None
    step: float | None


def pictures(session: Session, found: ComparisonOut, viewer: User) -> Pictures:
    """Return the scores with their intervals, and where both are one's own, the plots of both in one."""
    sides = [("A", found.first), ("B", found.second)]
    lines = [
        places.Score(f"{name} · {one.entrant}", one.score, one.interval_low, one.interval_high, "entry", name)
        for name, one in sides
        if one.score is not None
    ]
    lines = [replace(one, kind="own") if index else one for index, one in enumerate(lines)]
    scores = places.places(lines, least=10.0**-found.decimals.score) if lines else None
    if not all(one.yours for _, one in sides):
        return Pictures(scores, None, None, None)
    of = [plots.of_submission(session, one.submission_id, viewer) for _, one in sides]
    names = [name for name, _ in sides]
    return Pictures(
        scores,
        histogram.histogram(names, [one.epsilon for one in of]),
        roc.roc(names, [one.roc for one in of]),
        next((one.step for one in of), None),
    )


@dataclass(frozen=True)
class Choice:
    """A submission that can be chosen."""

    id: str
    words: str


def choices(session: Session, slug: str, viewer: User, now: datetime) -> tuple[list[Choice], list[Choice]]:
    """Return the newest scored submissions that one may see all of, and the entries of others on the leaderboard."""
    competition = registry.get_competition(session, slug)
    publish = registry.config_of(competition).publish
    board = leaderboard.board(session, competition, now)
    seen = leaderboard.scored_by(session, competition, viewer.id, now)
    own = [
        Choice(
            one.submission_id,
            f"{one.submitted_at:%Y-%m-%d %H:%M}, {publish.score(one.score):.{publish.score_decimals}f}",
        )
        for one in seen[:MOST_CHOICES]
    ]
    mine = {one.submission_id for one in seen}
    others = [
        Choice(
            row.entry.submission_id,
            f"place {row.place.rank}, {row.entry.entrant_name}, {publish.score(row.entry.score):.{publish.score_decimals}f}",
        )
        for row in board.rows[:MOST_CHOICES]
        if row.entry.submission_id not in mine
    ]
    return (own, others) if not access.organises(viewer, slug) else (own + others, others)


def slug_of(session: Session, ids: list[str], viewer: User) -> str:
    """Return the competition of submissions that were ticked in a list. Raises BadRequest unless they are two, of one."""
    if len(ids) != 2:
        raise BadRequest(
            f"Two submissions are compared, and {len(ids)} {'is' if len(ids) == 1 else 'are'} ticked.",
            advice="Go back and tick two of one competition.",
        )
    slugs = {submissions.get(session, one, viewer).competition.slug for one in ids}
    if len(slugs) > 1:
        raise BadRequest(
            "They are of different competitions, and their scores do not compare.",
            advice="Go back and tick two of one competition.",
        )
    return slugs.pop()
