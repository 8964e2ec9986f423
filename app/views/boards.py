"""The leaderboard as pages and API show it, and the bytes of it that this process has rendered."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import access, disqualification, leaderboard, ranking, registry
from app.changes import Changes
from app.competitions import Publish, Split
from app.errors import NotFound
from app.models import Competition, Evaluation, FinalEntry, Reference, Submission, User
from app.schemas.boards import LeaderboardOut, LeaderboardRow
from app.status import FinalState, Verdict
from app.views import climbs, versions
from app.views.climbs import Steps
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
RENDERING_SECONDS = 3.0
"""So long past its time may a board still be shown, while another request renders it anew."""
HIDDEN = "The private leaderboard is hidden until the results are revealed."


def check_may_see(session: Session, slug: str, split: Split, viewer: User | None) -> None:
    """Raise NotFound unless a split's leaderboard is the viewer's to see."""
    competition = registry.get_competition(session, slug)
    if not access.may_see_split(viewer, split, slug, competition.revealed_at):
        raise NotFound(HIDDEN, advice="See the public one, without split=private.")


def board(session: Session, slug: str, now: datetime, split: Split = "public") -> LeaderboardOut:
    """Return a split's leaderboard; who may see it is the caller's to check. Raises NotFound."""
    competition = registry.get_competition(session, slug)
    publish = registry.config_of(competition).publish
    found = leaderboard.board(session, competition, now, split)
    before = _public_ranks(session, competition, now) if split == "private" else {}
    return LeaderboardOut(
        competition=slug,
        split=split,
        as_of=now,
        ranked_by=found.ranking,
        ranking=f"{found.ranking} score to {NUMBERS[publish.score_decimals]}, best submission per participant or team",
        tie_rule=ranking.tie_rule(len(found.rows), found.without_interval, found.graders),
        decimals=decimals_of(publish),
        flags=flags_out(flag for row in found.rows for flag in row.entry.flags),
        retraining=retraining_of(reference_or_none(session, competition, split)),
        unranked=_unranked(session, competition, now, split),
        without_score=found.without_score,
        rows=[_row(row, publish, before.get(row.entry.entrant_id)) for row in found.rows],
    )


def _public_ranks(session: Session, competition: Competition, now: datetime) -> dict[str, int]:
    rows = leaderboard.board(session, competition, now).rows
    return {row.entry.entrant_id: row.place.rank for row in rows}


def _row(row: leaderboard.Row, publish: Publish, public_rank: int | None) -> LeaderboardRow:
    place, entry = row.place, row.entry
    return LeaderboardRow.rounded(
        publish,
        rank=place.rank,
        public_rank=public_rank,
        rank_change=None if public_rank is None else public_rank - place.rank,
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


def _unranked(session: Session, competition: Competition, now: datetime, split: Split) -> int:
    """Count the submissions whose score was made under an older reference of the split, final entries on the private one."""
    query = (
        select(func.count(Evaluation.id))
        .join(Submission, Submission.id == Evaluation.submission_id)
        .join(Reference, Reference.id == Evaluation.reference_id)
        .where(
            Submission.competition_id == competition.id,
            Evaluation.split == split,
            Evaluation.published,
            Evaluation.verdict == Verdict.SCORED,
            Evaluation.finished_at <= now,
            ~Reference.current,
            disqualification.counts(),
        )
    )
    if split == "private":
        query = query.join(FinalEntry, FinalEntry.submission_id == Submission.id).where(
            FinalEntry.state == FinalState.ENTERED
        )
    return session.scalar(query) or 0


_Key = tuple[str, Split, str]
"""A competition's slug, a split, and a format."""


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
    rendered once more. Of a private leaderboard nothing is ever kept before the reveal, which is not taken back: what is
    here is everybody's to see.
    """

    changes: Changes
    clock: Callable[[], float] = time.monotonic
    _kept: dict[_Key, _Kept] = field(default_factory=dict)
    _steps: dict[tuple[str, Split], tuple[str, Steps]] = field(default_factory=dict)
    _turns: tuple[Lock, ...] = field(default_factory=lambda: tuple(Lock() for _ in range(64)))

    def known(self, slug: str, media: str, split: Split = "public") -> Rendered | None:
        """Return the bytes that still hold; None says to `get` them.

        While one request renders these anew, others get those from before, unless the database was last asked too long
        ago: they wait for the new ones.
        """
        key = (slug, split, media)
        kept = self._kept.get(key)
        if kept is None or not (self._holds(kept) or self._bridges(key, kept)):
            return None
        return kept.rendered

    def _bridges(self, key: _Key, kept: _Kept) -> bool:
        return self._turn(key).locked() and self.clock() < kept.until + RENDERING_SECONDS

    def _turn(self, key: _Key) -> Lock:
        """Return the lock under which these bytes are rendered; few others have the same."""
        return self._turns[hash(key) % len(self._turns)]

    def _holds(self, kept: _Kept) -> bool:
        return kept.version == self.changes.boards and self.clock() < kept.until

    def get(
        self,
        session: Session,
        slug: str,
        now: datetime,
        media: str,
        render: Callable[[LeaderboardOut], str],
        split: Split = "public",
    ) -> Rendered:
        """Return the leaderboard's bytes, rendered anew only when something in it has changed.

        Whoever asks has looked at the changes before. Raises NotFound, for a private leaderboard before the reveal too.
        """
        key = (slug, split, media)
        with self._turn(key):
            known = self._kept.get(key)
            if known is not None and self._holds(known):
                return known.rendered
            version, until = self.changes.boards, self.clock() + TRUST_SECONDS
            check_may_see(session, slug, split, None)
            mark = versions.of_board(session, slug, now, split)
            if known is not None and known.rendered.mark == mark:
                rendered = known.rendered
            else:
                found = board(session, slug, now, split)
                body = render(found).encode()
                rendered = Rendered(mark, hashlib.sha256(body).hexdigest()[:32], body, found)
            self._kept[key] = _Kept(rendered, version, until)
            return rendered

    def climbed(
        self, session: Session, slug: str, now: datetime, split: Split = "public"
    ) -> tuple[LeaderboardOut, Steps]:
        """Return the leaderboard and how its scores rose, both as they are kept. Raises NotFound as `get` does."""
        kept = self.get(session, slug, now, "json", LeaderboardOut.model_dump_json, split)
        with self._turn((slug, split, "steps")):
            mark, steps = self._steps.get((slug, split), ("", {}))
            if mark != kept.mark:
                steps = climbs.steps_of(session, slug, split, now)
                self._steps[slug, split] = kept.mark, steps
            return kept.board, steps

    def board(self, session: Session, slug: str, now: datetime, split: Split = "public") -> LeaderboardOut:
        """Return the leaderboard as it is kept, to be shown in some other way. Raises NotFound as `get` does."""
        return self.get(session, slug, now, "json", LeaderboardOut.model_dump_json, split).board
