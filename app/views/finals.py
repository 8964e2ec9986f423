"""What pages and API show of final entries and of a close."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app import closing, disqualification, entrants, finals, registry, reveal
from app.entrants import whose
from app.models import Competition, Evaluation, FinalEntry, Score, Submission, User
from app.phases import Phase, phase_of
from app.schemas.finals import CandidateOut, ClosingOut, FinalsOut
from app.status import FinalState, Status, Verdict
from app.submissions import published_evaluation
from app.views.competitions import decimals_of
from app.views.evaluations import publish_of, ranked_score
from app.views.submissions import links_of

MOST = 200


def describe(session: Session, slug: str, person: User, now: datetime) -> FinalsOut:
    """Return a person's or their team's final entries, and what they could choose. Raises NotFound."""
    competition = registry.get_competition(session, slug)
    config = registry.config_of(competition)
    phase = phase_of(competition.times, now)
    entrant = entrants.of(session, person.id, competition.id)
    entries = {one.submission_id: one for one in finals.of_entrant(session, competition, entrant)}
    found = _submissions(session, competition, entrant.id)
    shown = [_candidate(one, entries.get(one.id)) for one in found]
    free = [one for one in shown if one.state is None and _may_stand(one)]
    out = disqualification.among(session, [one.submission_id for one in free])
    free.sort(key=lambda one: (one.score is None, -(one.score or 0)))
    return FinalsOut(
        competition=slug,
        phase=phase,
        closes_at=competition.closes_at,
        locked=phase is not Phase.OPEN or competition.closed_at is not None,
        places=config.final_entries,
        rule=rule_of(config.final_entries),
        decimals=decimals_of(config.publish),
        ranked_by=config.evaluation.ranking,
        entries=[one for one in shown if one.state is not None],
        candidates=[one for one in free if one.submission_id not in out][:MOST],
    )


def rule_of(places: int) -> str:
    """Say what becomes of places that nobody chooses for."""
    these = "The place, if it is" if places == 1 else f"Of the {places} places, each that is"
    return (
        f"{these} still free at the close, or was chosen for something that ended without a score, "
        "goes to your best public submission that is not a final entry already."
    )


def _submissions(session: Session, competition: Competition, entrant_id: str) -> Sequence[Submission]:
    return session.scalars(
        select(Submission)
        .where(Submission.competition_id == competition.id, whose == entrant_id)
        .options(
            joinedload(Submission.user),
            joinedload(Submission.competition).defer(Competition.pages),
            selectinload(Submission.evaluations)
            .joinedload(Evaluation.score)
            .defer(Score.report)
            .defer(Score.replicates),
        )
        .order_by(Submission.created_at.desc(), Submission.id)
    ).all()


def _may_stand(one: CandidateOut) -> bool:
    return one.status is not Status.DONE or one.verdict is Verdict.SCORED


def _candidate(submission: Submission, entry: FinalEntry | None) -> CandidateOut:
    shown, private = published_evaluation(submission), _revealed(submission, entry)
    return CandidateOut.rounded(
        publish_of(shown),
        submission_id=submission.id,
        user=submission.user.name,
        note=submission.note,
        created_at=submission.created_at,
        status=shown.status,
        verdict=shown.verdict,
        score=ranked_score(shown),
        state=None if entry is None else entry.state,
        automatic=entry is not None and entry.automatic,
        evaluation=_private(submission, entry),
        private_verdict=None if private is None else private.verdict,
        private_score=None if private is None else ranked_score(private),
        links=links_of(submission.id),
    )


def _private(submission: Submission, entry: FinalEntry | None) -> str | None:
    """Return how far an entered submission is on the private split; before the reveal what is to be rerun has no end."""
    if entry is None or entry.state is not FinalState.ENTERED:
        return None
    if submission.competition.revealed_at is not None:
        return "complete"
    private = [one for one in submission.evaluations if one.split == "private"]
    return "running" if reveal.is_running(private) or reveal.is_stalled(private) else "complete"


def _revealed(submission: Submission, entry: FinalEntry | None) -> Evaluation | None:
    """Return what is shown of an entered submission on the private split, once that is everybody's to see."""
    if entry is None or entry.state is not FinalState.ENTERED or submission.competition.revealed_at is None:
        return None
    return next((one for one in submission.evaluations if one.split == "private" and one.published), None)


def closing_of(session: Session, slug: str, now: datetime) -> ClosingOut:
    """Return how far a competition's close is; who may see it is the caller's to check. Raises NotFound."""
    competition = registry.get_competition(session, slug)
    found = reveal.progress(session, competition)
    obstacle = reveal.in_the_way(session, competition)
    open_or_closed = competition.closed_at is not None or now < competition.closes_at
    return ClosingOut(
        competition=slug,
        phase=phase_of(competition.times, now),
        closes_at=competition.closes_at,
        closed_at=competition.closed_at,
        revealed_at=competition.revealed_at,
        automatic=registry.config_of(competition).reveal == "automatic",
        waits_for=None if open_or_closed else closing.waits_for(session, competition, now),
        entries=found.entries,
        complete=found.complete,
        running=list(found.running),
        stalled=list(found.stalled),
        failed=list(found.failed),
        obstacle=None if obstacle is None else f"{obstacle.detail} {obstacle.advice}".strip(),
        forceable=competition.closed_at is not None and bool(found.stalled) and found.forceable,
    )
