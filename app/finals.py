"""Final entries: the few submissions by which the private split decides, chosen while a competition is open.

Every place that is still free at the close is taken by the entrant's best public submission that is not chosen already
(app.closing), so whoever chooses nothing has their best ones. A team has its final entries together.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app import disqualification, entrants, events, registry
from app.entrants import Entrant, whose
from app.errors import BadRequest, Conflict, NotFound
from app.models import Competition, FinalEntry, Submission, User
from app.phases import Phase, phase_of
from app.status import FinalState, Status, Verdict
from app.submissions import NOT_YOURS, published_evaluation


def of_entrant(session: Session, competition: Competition, entrant: Entrant) -> Sequence[FinalEntry]:
    """Return an entrant's final entries in the order in which they were chosen."""
    return session.scalars(
        select(FinalEntry)
        .join(Submission, Submission.id == FinalEntry.submission_id)
        .where(FinalEntry.competition_id == competition.id, whose == entrant.id)
        .order_by(FinalEntry.created_at, FinalEntry.submission_id)
    ).all()


def choose(
    session: Session,
    slug: str,
    person: User,
    submission_ids: Sequence[str],
    now: datetime,
    *,
    seen: Collection[str] | None = None,
) -> Sequence[FinalEntry]:
    """Make exactly these submissions the choice of a person, or of their team; none leaves it to the close.

    With `seen`, what was chosen when they looked, a choice that somebody has changed since is not replaced.
    Raises NotFound, BadRequest for too many, and Conflict unless the competition is open, the choice is as seen, and
    each is scored or still under way.
    """
    competition = registry.hold(session, slug)
    wanted = list(dict.fromkeys(submission_ids))
    _check_open(competition, now)
    _check_count(len(wanted), registry.config_of(competition).final_entries)
    entrant = entrants.lock(session, person.id, competition.id)
    disqualification.check(session, competition, person.id)
    chosen = {one.submission_id: one for one in of_entrant(session, competition, entrant)}
    _check_seen(seen, chosen)
    added = [one for one in wanted if one not in chosen]
    for submission_id in added:
        _check_may_stand(session, _owned(session, competition, entrant, submission_id))
    for submission_id in chosen.keys() - set(wanted):
        session.delete(chosen[submission_id])
        events.write(session, "final.dropped", person.name, now, submission_id=submission_id)
    for submission_id in added:
        session.add(_entry(competition.id, submission_id, now))
        events.write(session, "final.chosen", person.name, now, submission_id=submission_id)
    session.flush()
    return of_entrant(session, competition, entrant)


def _entry(competition_id: str, submission_id: str, now: datetime) -> FinalEntry:
    return FinalEntry(
        submission_id=submission_id,
        competition_id=competition_id,
        state=FinalState.CHOSEN,
        automatic=False,
        created_at=now,
    )


def _check_open(competition: Competition, now: datetime) -> None:
    phase = phase_of(competition.times, now)
    if phase is Phase.UPCOMING:
        raise Conflict(f"{competition.title} opens at {competition.opens_at:%Y-%m-%d %H:%M} UTC.")
    if phase is not Phase.OPEN or competition.closed_at is not None:
        raise Conflict(
            f"Final entries were locked at the close, {competition.closes_at:%Y-%m-%d %H:%M} UTC.",
            advice="What was chosen then stands; free places are filled with your best public submissions.",
        )


def _check_seen(seen: Collection[str] | None, chosen: Collection[str]) -> None:
    if seen is not None and set(seen) != set(chosen):
        raise Conflict(
            "The choice was changed after you looked at it; nothing of yours was kept.",
            advice="Look at the choice as it is now, then choose again.",
        )


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise BadRequest(
            f"You chose {count} submissions, and {most} can be final entries.",
            advice=f"Choose at most {most}.",
        )


def _owned(session: Session, competition: Competition, entrant: Entrant, submission_id: str) -> Submission:
    found = session.get(Submission, submission_id, options=[joinedload(Submission.evaluations)])
    if found is None or entrant.id not in {found.team_id, found.user_id}:
        raise NotFound(NOT_YOURS)
    if found.competition_id != competition.id:
        raise NotFound(f"Submission {submission_id[:8]} is not one to {competition.title}.")
    if entrants.id_of(found) != entrant.id:
        raise NotFound(NOT_YOURS)
    return found


def _check_may_stand(session: Session, submission: Submission) -> None:
    if disqualification.of_submission(session, submission) is not None:
        raise Conflict(f"Submission {submission.id[:8]} is disqualified and cannot be a final entry.")
    shown = published_evaluation(submission)
    if shown.status is Status.DONE and shown.verdict is not Verdict.SCORED:
        raise Conflict(
            f"Submission {submission.id[:8]} ended without a score ({shown.verdict}).",
            advice="Choose one that has a score or is still under way.",
        )
