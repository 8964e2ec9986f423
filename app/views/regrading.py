"""What publishing staged scores would change: done, looked at, and taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import leaderboard, registry, regrading
from app.competitions import SPLITS
from app.models import Competition
from app.views.competitions import reference_or_none, retraining_of
from app.views.rank_changes import Move, Standings, moves, standings


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
    standings: Standings


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
        BoardChange(
            *place,
            old[place].retraining,
            new[place].retraining,
            moves(old[place].standings, new[place].standings),
        )
        for place in new
    ]
    return Preview(swapped.scores, swapped.references, changes)


def _boards(session: Session, slugs: list[str], now: datetime) -> dict[tuple[str, str], _Board]:
    found = {}
    for slug in slugs:
        competition = registry.get_competition(session, slug)
        publish = registry.config_of(competition).publish
        for split in SPLITS:
            board = leaderboard.board(session, competition, now, split)
            row = retraining_of(reference_or_none(session, competition, split))
            own = None if row is None else row.score if board.ranking == "official" else row.calibrated_score
            found[slug, split] = _Board(own, standings(board, publish))
    return found
