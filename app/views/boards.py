"""The leaderboard as pages and API show it, and the bytes of it that this process has rendered."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import leaderboard, registry
from app.models import Competition, Evaluation, Reference, Submission
from app.schemas import LeaderboardOut, LeaderboardRow
from app.status import Verdict
from app.views import versions
from app.views.competitions import reference_or_none, retraining_of

TIE_RULE = "Scores that are equal to four decimals rank by the earlier submission."
RANKING = "official score to four decimals, best submission per participant"


def board(session: Session, slug: str, now: datetime) -> LeaderboardOut:
    """Return the public leaderboard. Raises NotFound."""
    competition = registry.get_competition(session, slug)
    return LeaderboardOut(
        competition=slug,
        split="public",
        as_of=now,
        ranking=RANKING,
        tie_rule=TIE_RULE,
        retraining=retraining_of(reference_or_none(session, competition)),
        unranked=_unranked(session, competition, now),
        rows=_rows(session, leaderboard.board(session, competition, now)),
    )


def _rows(session: Session, found: list[leaderboard.Row]) -> list[LeaderboardRow]:
    """Rank by what is published, so that an order says no more about hidden data than the scores do."""
    ids = [row.submission_id for row in found]
    submitted = dict(
        session.execute(select(Submission.id, Submission.created_at).where(Submission.id.in_(ids))).all()
    )
    rows = [_row(row) for row in found]
    rows.sort(key=lambda row: (-row.score, submitted[row.submission_id], row.submission_id))
    return [row.model_copy(update={"rank": place}) for place, row in enumerate(rows, start=1)]


def _row(row: leaderboard.Row) -> LeaderboardRow:
    return LeaderboardRow(
        rank=row.rank,
        user=row.user_name,
        submission_id=row.submission_id,
        score=row.score,
        forgetting_quality=row.forgetting_quality,
        retain_ratio=row.retain_ratio,
        test_ratio=row.test_ratio,
        entries=row.entries,
        last_at=row.last_at,
        median_seconds=row.median_seconds,
    )


def _unranked(session: Session, competition: Competition, now: datetime) -> int:
    """Count the submissions whose score was made under an older reference of the public split."""
    query = (
        select(func.count(Evaluation.id))
        .join(Submission, Submission.id == Evaluation.submission_id)
        .join(Reference, Reference.id == Evaluation.reference_id)
        .where(
            Submission.competition_id == competition.id,
            Evaluation.split == "public",
            Evaluation.published,
            Evaluation.verdict == Verdict.SCORED,
            Evaluation.finished_at <= now,
            ~Reference.current,
        )
    )
    return session.scalar(query) or 0


@dataclass(frozen=True)
class Rendered:
    """A leaderboard's bytes in one format, as of one version."""

    mark: str
    etag: str
    body: bytes


@dataclass(frozen=True)
class Boards:
    """The newest bytes of each competition's leaderboard in each format, shared by a process's threads.

    A version is read before the rows that it stands for: at worst, newer rows are kept under an older mark and are
    rendered once more.
    """

    _kept: dict[tuple[str, str], Rendered] = field(default_factory=dict)

    def get(
        self,
        session: Session,
        slug: str,
        now: datetime,
        media: str,
        render: Callable[[LeaderboardOut], str],
    ) -> Rendered:
        """Return the leaderboard's bytes, rendered anew only when something in it has changed. Raises NotFound."""
        mark = versions.of_board(session, slug, now)
        kept = self._kept.get((slug, media))
        if kept is None or kept.mark != mark:
            body = render(board(session, slug, now)).encode()
            kept = Rendered(mark, hashlib.sha256(body).hexdigest()[:32], body)
            self._kept[slug, media] = kept
        return kept
