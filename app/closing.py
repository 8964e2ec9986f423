"""The close of a competition: final entries are taken. Their evaluations on the private split come after it.

It is one transaction, which begins with a guarded UPDATE of the competition's row: of two that close at once, or after a
kill, one does it, and does all of it. It waits until no upload that began in time can still arrive, and until nothing
public of the competition is under way, so that everything sent in time may count.

Each entrant's choices that have a score are entered; those without are dropped; places that are free then go to the
entrant's best public submissions. What is disqualified keeps its place, so that reinstating brings it back, and the next
is entered beside it, so that no entrant has fewer that count. Boards and the reveal ask what counts.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from app import disqualification, entrants, events, final_evaluations, leaderboard, registry
from app.competitions import CompetitionConfig
from app.errors import NotPrepared
from app.evaluations.locks import changed
from app.final_evaluations import ACTOR
from app.models import Competition, Evaluation, FinalEntry, Reference, Submission
from app.phases import GRACE
from app.status import FinalState, Status, Verdict
from app.submissions import published_evaluation


@dataclass(frozen=True)
class Closed:
    """What one close has come to."""

    slug: str
    device: str  # the class of devices that may run what it has made
    entries: int
    evaluated: bool  # whether evaluations were queued with it


@dataclass(frozen=True)
class _Pick:
    entry: FinalEntry
    state: FinalState
    automatic: bool


def due(session: Session, now: datetime) -> Sequence[str]:
    """Return the ids of competitions that are past their close and have not taken their final entries."""
    return session.scalars(
        select(Competition.id)
        .where(Competition.closed_at.is_(None), Competition.closes_at <= now - GRACE)
        .order_by(Competition.id)
    ).all()


def waits_for(session: Session, competition: Competition, now: datetime) -> str | None:
    """Return why a competition whose time is over is not closed yet, in words; None when nothing is in the way."""
    if now < competition.closes_at + GRACE:
        until = competition.closes_at + GRACE
        return f"Uploads that began before the close may still arrive, until {until:%Y-%m-%d %H:%M} UTC."
    under_way = exists().where(
        Submission.competition_id == competition.id,
        Evaluation.submission_id == Submission.id,
        Evaluation.split == "public",
        Evaluation.status != Status.DONE,
    )
    if session.scalar(select(under_way)):
        return "Submissions that came in time are still being graded on the public split."
    if _private_reference(session, competition) is None:
        return (
            "The private split has no reference: an organiser prepares it with `lethe competition prepare`."
        )
    return None


def close(session: Session, competition_id: str, now: datetime, queue_due: timedelta) -> Closed | None:
    """Take the final entries; None while something is in the way, or when it was done.

    Evaluations are queued here only for those that had one on the private split before, where it will not do; all others
    are for app.final_evaluations.
    """
    competition = session.get_one(
        Competition, competition_id, with_for_update={"key_share": True}, populate_existing=True
    )  # nothing more is accepted between what is seen here and the commit
    if waits_for(session, competition, now) is not None:
        return None
    guard = update(Competition).where(
        Competition.id == competition_id,
        Competition.closed_at.is_(None),
        Competition.closes_at <= now - GRACE,
    )
    if changed(session, guard.values(closed_at=now)) != 1:
        return None
    session.refresh(competition)
    reference, config = _private_reference(session, competition), registry.config_of(competition)
    assert reference is not None
    picks = list(_picks(session, competition, config))
    for pick in picks:
        _keep(session, pick, now)
    session.flush()
    before = _evaluated_before(session, competition)
    final_evaluations.evaluate(session, before, reference, config, now, now + queue_due)
    entered = sum(pick.state is FinalState.ENTERED for pick in picks)
    detail = f"{competition.slug}: {entered} final entries of {len(picks)} picks"
    events.write(session, "competition.closed", ACTOR, now, detail=detail)
    return Closed(competition.slug, config.evaluation.device, entered, evaluated=bool(before))


def _private_reference(session: Session, competition: Competition) -> Reference | None:
    try:
        return registry.current_reference(session, competition, "private")
    except NotPrepared:
        return None


@dataclass
class _Places:
    """An entrant's places while they are filled, with what is disqualified and without it."""

    most: int
    taken: int = 0
    counting: int = 0

    def take(self, *, counts: bool) -> bool:
        """Tell whether one more is entered: it is among the first of all, or of those that count."""
        enters = self.taken < self.most or (counts and self.counting < self.most)
        self.taken += 1
        self.counting += counts
        return enters


def _picks(session: Session, competition: Competition, config: CompetitionConfig) -> Iterator[_Pick]:
    """Give every entrant's entries: chosen ones first, then their best public ones."""
    places: dict[str, _Places] = defaultdict(lambda: _Places(config.final_entries))
    chosen, best = _chosen(session, competition), leaderboard.scored(session, competition)
    owners = dict(
        session.execute(
            select(Submission.id, entrants.whose).where(Submission.competition_id == competition.id)
        ).all()
    )
    was_chosen = {one.submission_id for one in chosen}
    out = disqualification.among(session, was_chosen.union(best))
    for entry in chosen:
        own = places[owners[entry.submission_id]]
        enters = _has_score(entry.submission) and own.take(counts=entry.submission_id not in out)
        yield _Pick(entry, FinalState.ENTERED if enters else FinalState.DROPPED, automatic=False)
    for submission_id in best:
        own = places[owners[submission_id]]
        if submission_id not in was_chosen and own.take(counts=submission_id not in out):
            entry = FinalEntry(submission_id=submission_id, competition_id=competition.id)
            yield _Pick(entry, FinalState.ENTERED, automatic=True)


def _chosen(session: Session, competition: Competition) -> Sequence[FinalEntry]:
    return session.scalars(
        select(FinalEntry)
        .where(FinalEntry.competition_id == competition.id, FinalEntry.state == FinalState.CHOSEN)
        .options(joinedload(FinalEntry.submission).selectinload(Submission.evaluations))
        .order_by(FinalEntry.created_at, FinalEntry.submission_id)
    ).all()


def _has_score(submission: Submission) -> bool:
    return published_evaluation(submission).verdict is Verdict.SCORED


def _keep(session: Session, pick: _Pick, now: datetime) -> None:
    entry = pick.entry
    entry.state, entry.automatic = pick.state, pick.automatic
    if pick.automatic:
        entry.created_at = now
        session.add(entry)
    detail = "automatically" if pick.automatic else "as chosen"
    events.write(session, f"final.{pick.state}", ACTOR, now, submission_id=entry.submission_id, detail=detail)


def _evaluated_before(session: Session, competition: Competition) -> Sequence[Submission]:
    """Return the final entries that an organiser has had evaluated on the private split already."""
    private = exists().where(Evaluation.submission_id == Submission.id, Evaluation.split == "private")
    return session.scalars(
        select(Submission)
        .join(FinalEntry, FinalEntry.submission_id == Submission.id)
        .where(
            FinalEntry.competition_id == competition.id,
            FinalEntry.state == FinalState.ENTERED,
            private.correlate(Submission),
        )
        .options(selectinload(Submission.evaluations))
        .order_by(Submission.created_at, Submission.id)
    ).all()
