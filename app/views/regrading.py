"""What publishing staged scores would change: done, looked at, and taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import ranking, registry, regrading
from app.competitions import SPLITS
from app.models import Competition, Evaluation, Reference, Score, Submission, User
from app.ranking import Candidate
from app.status import Status, Verdict
from app.views import boards
from app.views.competitions import reference_or_none, retraining_of


@dataclass(frozen=True)
class Standing:
    """A participant's place and the score that gives it, by the competition's ranking, as it is published."""

    place: int
    score: float
    submission_id: str


@dataclass(frozen=True)
class Move:
    """A participant's standing now and after publishing; None is without a place."""

    participant: str
    old: Standing | None
    new: Standing | None


@dataclass(frozen=True)
class BoardChange:
    """One split of one competition, best first after publishing, and retraining's own score, by the same ranking."""

    competition: str
    split: str
    old_retraining: float | None
    new_retraining: float | None
    moves: list[Move]


@dataclass(frozen=True)
class Preview:
    """How many scores and rows of retraining wait to be published, and what that would change."""

    scores: int
    references: int
    boards: list[BoardChange]


@dataclass(frozen=True)
class _Board:
    retraining: float | None
    standings: dict[str, Standing]


def preview(
    session: Session,
    version: str,
    retraining: Mapping[str, Mapping[str, Any]],
    now: datetime,
    slug: str | None = None,
) -> Preview:
    """Return what would change if what is staged were published now, complete or not.

    It needs a transaction that may write, and leaves it as it was. Raises NotFound for an unknown competition.
    """
    slugs = [slug] if slug is not None else list(session.scalars(select(Competition.slug)))
    regrading.lock(session, slug)
    old = _boards(session, sorted(slugs), now)
    trial = session.begin_nested()
    swapped = regrading.swap(session, version, retraining, now, slug)
    session.flush()
    new = _boards(session, sorted(slugs), now)
    trial.rollback()
    changes = [
        BoardChange(*place, old[place].retraining, new[place].retraining, _moves(old[place], new[place]))
        for place in new
    ]
    return Preview(swapped.scores, swapped.references, changes)


def _boards(session: Session, slugs: list[str], now: datetime) -> dict[tuple[str, str], _Board]:
    found = {}
    for slug in slugs:
        competition = registry.get_competition(session, slug)
        by = registry.config_of(competition).evaluation.ranking
        for split in SPLITS:
            row = retraining_of(reference_or_none(session, competition, split))
            own = None if row is None else row.score if by == "official" else row.calibrated_score
            standings = (
                _public(session, slug, now) if split == "public" else _hidden(session, competition, split)
            )
            found[slug, split] = _Board(own, standings)
    return found


def _public(session: Session, slug: str, now: datetime) -> dict[str, Standing]:
    rows = boards.board(session, slug, now).rows
    return {row.user: Standing(row.rank, row.score, row.submission_id) for row in rows}


def _hidden(session: Session, competition: Competition, split: str) -> dict[str, Standing]:
    """Rank a split that has no board as the public one is ranked."""
    by = registry.config_of(competition).evaluation.ranking
    query = (
        select(
            User.name,
            Submission.id,
            Submission.created_at,
            Score.score if by == "official" else Score.calibrated_score,
        )
        .join(Submission, Submission.user_id == User.id)
        .join(Evaluation, Evaluation.submission_id == Submission.id)
        .join(Score, Score.evaluation_id == Evaluation.id)
        .join(Reference, Reference.id == Evaluation.reference_id)
        .where(
            Submission.competition_id == competition.id,
            Evaluation.split == split,
            Evaluation.published,
            Evaluation.status == Status.DONE,
            Evaluation.verdict == Verdict.SCORED,
            Score.current,
            Reference.current,
        )
    )
    best = ranking.best(Candidate(*row) for row in session.execute(query))
    return {
        one.who: Standing(place, ranking.published(one.score or 0.0), one.submission_id)
        for place, one in enumerate(best, start=1)
    }


def _moves(old: _Board, new: _Board) -> list[Move]:
    """Pair by participant, in the new order; who would lose their place comes last."""
    names = dict.fromkeys((*new.standings, *old.standings))
    return [Move(name, old.standings.get(name), new.standings.get(name)) for name in names]
