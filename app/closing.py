"""The close of a competition: final entries are taken, and their evaluations on the private split made.

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
from sqlalchemy.orm import Session

from app import disqualification, entrants, evaluations, events, leaderboard, registry
from app.competitions import CompetitionConfig
from app.errors import NotPrepared
from app.evaluations.locks import changed
from app.models import Competition, Evaluation, FinalEntry, Reference, Submission, Team, User
from app.phases import GRACE
from app.status import FinalState, Status, Verdict
from app.submissions import published_evaluation

ACTOR = "close"


@dataclass(frozen=True)
class Closed:
    """What one close has come to."""

    slug: str
    device: str  # the class of devices that may run what it has made
    entries: int


@dataclass(frozen=True)
class _Pick:
    submission: Submission
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
    """Take the final entries and queue their evaluations; None while something is in the way, or when it was done."""
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
    entered = [pick.submission for pick in picks if pick.state is FinalState.ENTERED]
    _evaluate(session, entered, reference, config, now, now + queue_due)
    detail = f"{competition.slug}: {len(entered)} final entries of {len(picks)} picks"
    events.write(session, "competition.closed", ACTOR, now, detail=detail)
    return Closed(competition.slug, config.evaluation.device, len(entered))


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
    chosen = session.scalars(
        select(FinalEntry)
        .where(FinalEntry.competition_id == competition.id, FinalEntry.state == FinalState.CHOSEN)
        .order_by(FinalEntry.created_at, FinalEntry.submission_id)
    )
    entries = chosen.all()
    was_chosen, best = {one.submission_id for one in entries}, leaderboard.scored(session, competition)
    out = disqualification.among(session, was_chosen.union(best))
    for entry in entries:
        submission = entry.submission
        own = places[entrants.id_of(submission)]
        enters = _has_score(submission) and own.take(counts=submission.id not in out)
        yield _Pick(submission, FinalState.ENTERED if enters else FinalState.DROPPED, automatic=False)
    for submission_id in best:
        submission = session.get_one(Submission, submission_id)
        own = places[entrants.id_of(submission)]
        if submission_id not in was_chosen and own.take(counts=submission_id not in out):
            yield _Pick(submission, FinalState.ENTERED, automatic=True)


def _has_score(submission: Submission) -> bool:
    return published_evaluation(submission).verdict is Verdict.SCORED


def _keep(session: Session, pick: _Pick, now: datetime) -> None:
    submission = pick.submission
    entry = session.get(FinalEntry, submission.id)
    if entry is None:
        entry = FinalEntry(
            submission_id=submission.id, competition_id=submission.competition_id, created_at=now
        )
        session.add(entry)
    entry.state, entry.automatic = pick.state, pick.automatic
    detail = "automatically" if pick.automatic else "as chosen"
    events.write(session, f"final.{pick.state}", ACTOR, now, submission_id=submission.id, detail=detail)


def _evaluate(
    session: Session,
    submissions: Sequence[Submission],
    reference: Reference,
    config: CompetitionConfig,
    now: datetime,
    due: datetime,
) -> None:
    """Queue an evaluation of each, in its entrant's turn, but where there is one under the same reference already."""
    _lock_entrants(session, submissions)
    for submission in submissions:
        private = [one for one in submission.evaluations if one.split == reference.split]
        if any(_holds(one, reference) for one in private):
            continue
        evaluations.create(
            session,
            submission,
            reference,
            config.evaluation.cutoff_fraction,
            evaluations.fresh_seeds(reference.n_models),
            published=not any(one.published for one in private),
            now=now,
            due=due,
            actor=ACTOR,
            in_turn=True,
        )


def _lock_entrants(session: Session, submissions: Sequence[Submission]) -> None:
    people = select(User.id).where(User.id.in_({one.user_id for one in submissions})).order_by(User.id)
    teams = select(Team.id).where(Team.id.in_({one.team_id for one in submissions})).order_by(Team.id)
    for locked in (people, teams):
        session.execute(locked.with_for_update(key_share=True))


def _holds(evaluation: Evaluation, reference: Reference) -> bool:
    """Tell whether an evaluation that an admin asked for before will do: it is under way or has a score."""
    fine = evaluation.status is not Status.DONE or evaluation.verdict is Verdict.SCORED
    return fine and evaluation.reference_id == reference.id
