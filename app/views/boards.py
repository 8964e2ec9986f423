"""The leaderboard as pages and API show it, and the bytes of it that this process has rendered."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import disqualification, leaderboard, ranking, registry
from app.changes import Changes
from app.competitions import Publish
from app.models import Competition, Evaluation, Reference, Submission
from app.schemas import LeaderboardOut, LeaderboardRow
from app.status import Verdict
from app.views import versions
from app.views.competitions import decimals_of, reference_or_none, retraining_of
from app.views.evaluations import flags_out
from app.views.polls import TRUST_SECONDS

NUMBERS = (
    "no decimals",
    "one decimal",
    "two decimals",
    "three decimals",
    "four decimals",
    "five decimals",
    "six decimals",
)


def board(session: Session, slug: str, now: datetime) -> LeaderboardOut:
    """Return the public leaderboard. Raises NotFound."""
    competition = registry.get_competition(session, slug)
    publish = registry.config_of(competition).publish
    found = leaderboard.board(session, competition, now)
    return LeaderboardOut(
        competition=slug,
        split="public",
        as_of=now,
        ranked_by=found.ranking,
        ranking=f"{found.ranking} score to {NUMBERS[publish.score_decimals]}, best submission per participant or team",
        tie_rule=ranking.tie_rule(len(found.rows), found.without_interval, found.graders),
        decimals=decimals_of(publish),
        flags=flags_out(flag for row in found.rows for flag in row.entry.flags),
        retraining=retraining_of(reference_or_none(session, competition)),
        unranked=_unranked(session, competition, now),
        without_score=found.without_score,
        rows=[_row(row, publish) for row in found.rows],
    )


def _row(row: leaderboard.Row, publish: Publish) -> LeaderboardRow:
    place, entry = row.place, row.entry
    return LeaderboardRow.rounded(
        publish,
        rank=place.rank,
        band=place.band,
        band_first=place.first,
        band_last=place.last,
        entrant=entry.entrant_name,
        kind="person" if entry.team_name is None else "team",
        members=row.members,
        user=entry.user_name,
        submission_id=entry.submission_id,
        score=entry.score,
        interval_low=entry.low,
        interval_high=entry.high,
        official_score=entry.official_score,
        calibrated_score=entry.calibrated_score,
        forgetting_quality=entry.forgetting_quality,
        retain_ratio=entry.retain_ratio,
        test_ratio=entry.test_ratio,
        flags=entry.flags,
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
            disqualification.counts(),
        )
    )
    return session.scalar(query) or 0


@dataclass(frozen=True)
class Rendered:
    """A leaderboard's bytes in one format, as of one version."""

    mark: str
    etag: str
    body: bytes
    board: LeaderboardOut


@dataclass(frozen=True)
class _Kept:
    rendered: Rendered
    version: int
    until: float


@dataclass(frozen=True)
class Boards:
    """The newest bytes of each competition's leaderboard in each format, shared by a process's threads.

    A version is read before the rows that it stands for: at worst, newer rows are kept under an older mark and are
    rendered once more.
    """

    changes: Changes
    clock: Callable[[], float] = time.monotonic
    _kept: dict[tuple[str, str], _Kept] = field(default_factory=dict)
    _turns: tuple[Lock, ...] = field(default_factory=lambda: tuple(Lock() for _ in range(64)))

    def known(self, slug: str, media: str) -> Rendered | None:
        """Return the bytes that still hold; None says to `get` them.

        While one request renders these anew, others get those from before: a second old, or as old as rendering takes.
        """
        kept = self._kept.get((slug, media))
        if kept is None or not (self._holds(kept) or self._turn(slug, media).locked()):
            return None
        return kept.rendered

    def _turn(self, slug: str, media: str) -> Lock:
        """Return the lock under which these bytes are rendered; few others have the same."""
        return self._turns[hash((slug, media)) % len(self._turns)]

    def _holds(self, kept: _Kept) -> bool:
        return kept.version == self.changes.boards and self.clock() < kept.until

    def get(
        self,
        session: Session,
        slug: str,
        now: datetime,
        media: str,
        render: Callable[[LeaderboardOut], str],
    ) -> Rendered:
        """Return the leaderboard's bytes, rendered anew only when something in it has changed. Raises NotFound.

        Whoever asks has looked at the changes before.
        """
        with self._turn(slug, media):
            known = self._kept.get((slug, media))
            if known is not None and self._holds(known):
                return known.rendered
            version, until = self.changes.boards, self.clock() + TRUST_SECONDS
            mark = versions.of_board(session, slug, now)
            if known is not None and known.rendered.mark == mark:
                rendered = known.rendered
            else:
                found = board(session, slug, now)
                body = render(found).encode()
                rendered = Rendered(mark, hashlib.sha256(body).hexdigest()[:32], body, found)
            self._kept[slug, media] = _Kept(rendered, version, until)
            return rendered

    def board(self, session: Session, slug: str, now: datetime) -> LeaderboardOut:
        """Return the leaderboard as it is kept, to be shown in some other way. Raises NotFound."""
        return self.get(session, slug, now, "json", LeaderboardOut.model_dump_json).board
