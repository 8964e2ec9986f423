"""The reveal: from then on the private leaderboard is everybody's to see. It happens once, and is not taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from app import disqualification, events, final_evaluations, registry
from app.errors import Conflict
from app.evaluations.locks import changed
from app.models import Competition, Evaluation, FinalEntry, Submission
from app.notices import outbox
from app.status import FinalState, Status, Verdict


@dataclass(frozen=True)
class Progress:
    """How far the evaluations of a closed competition's final entries are; ids are submissions'."""

    entries: int
    running: Sequence[str]
    stalled: Sequence[str]  # stalled, cancelled, or scored under a reference that was replaced: rerun them
    rerun: Sequence[str]  # those of the stalled that were tried again under the current reference
    failed: Sequence[str]  # ended without a score by themselves: they hold nothing up, and are worth a look

    @property
    def complete(self) -> int:
        """How many have ended, with or without a score."""
        return self.entries - len(self.running) - len(self.stalled)

    @property
    def forceable(self) -> bool:
        """Whether nothing is in the way but what was tried again in vain."""
        return not self.running and set(self.stalled) <= set(self.rerun)


def progress(session: Session, competition: Competition) -> Progress:
    """Count what has become of the final entries on the private split."""
    entered = session.scalars(
        select(Submission)
        .join(FinalEntry, FinalEntry.submission_id == Submission.id)
        .where(
            FinalEntry.competition_id == competition.id,
            FinalEntry.state == FinalState.ENTERED,
            disqualification.counts(),
        )
        .options(
            selectinload(Submission.evaluations).options(
                joinedload(Evaluation.reference), joinedload(Evaluation.rerun)
            )
        )
        .order_by(Submission.created_at, Submission.id)
    ).all()
    private = {one.id: [each for each in one.evaluations if each.split == "private"] for one in entered}
    running = [key for key, found in private.items() if is_running(found)]
    stalled = [key for key, found in private.items() if key not in running and is_stalled(found)]
    tried = [key for key in stalled if _in_vain(private[key][-1])]
    failed = [
        key for key, found in private.items() if key not in {*running, *stalled} and not _has_score(found)
    ]
    return Progress(len(entered), running, stalled, tried, failed)


def is_running(private: Sequence[Evaluation]) -> bool:
    """Tell whether any of an entry's private evaluations has not ended, waits for a decision, or is still to be made."""
    return not private or any(one.status is not Status.DONE or _is_undecided(one) for one in private)


def _is_undecided(evaluation: Evaluation) -> bool:
    return evaluation.rerun is not None and evaluation.rerun.decision is None


def _has_score(private: Sequence[Evaluation]) -> bool:
    return any(one.published and one.verdict is Verdict.SCORED for one in private)


def _in_vain(last: Evaluation) -> bool:
    """Tell whether the last evaluation of a stalled entry was another try under the current reference, without a score."""
    return last.generation > 1 and last.reference.current and last.verdict is not Verdict.SCORED


def is_stalled(private: Sequence[Evaluation]) -> bool:
    """Tell whether what is shown of a submission on the private split cannot stand: a fault of ours, or outdated.

    Nobody but organisers and admins cancels a private evaluation: one that was is to be rerun, like one that stalled.
    """
    shown = next((one for one in private if one.published), None)
    if shown is None or shown.verdict in {Verdict.STALLED, Verdict.CANCELLED}:
        return True
    return shown.verdict is Verdict.SCORED and not shown.reference.current


def reveal(session: Session, slug: str, actor: str, now: datetime, *, force: bool = False) -> Competition:
    """Reveal a competition's private leaderboard, once.

    With `force` entries that stalled or were cancelled, and had no score when they were rerun, are left without one.
    Raises NotFound, and Conflict with what is in the way.
    """
    competition = registry.get_competition(session, slug)
    obstacle = in_the_way(session, competition, force=force)
    if obstacle is not None:
        raise obstacle
    guard = update(Competition).where(
        Competition.id == competition.id,
        Competition.closed_at.is_not(None),
        Competition.revealed_at.is_(None),
    )
    if changed(session, guard.values(revealed_at=now, updated_at=now)) != 1:
        raise Conflict("Its results have been revealed already.")
    session.refresh(competition)
    events.write(session, "competition.revealed", actor, now, detail=competition.slug)
    outbox.tell_reveal(session, competition, now)
    return competition


def in_the_way(session: Session, competition: Competition, *, force: bool = False) -> Conflict | None:
    """Return why a competition's results cannot be revealed now, or None."""
    if competition.revealed_at is not None:
        return Conflict("Its results have been revealed already.")
    if competition.closed_at is None:
        return Conflict(
            f"{competition.title} has not taken its final entries yet.",
            advice="That happens by itself after the close, once everything public is graded.",
        )
    unmade = final_evaluations.waiting(session, competition)
    if unmade:
        return Conflict(
            f"{unmade} final entries wait for their evaluation to be queued.",
            advice="That takes workers a minute.",
        )
    found = progress(session, competition)
    if found.running:
        return Conflict(
            f"{len(found.running)} of {found.entries} final entries are still being evaluated, or graded again.",
            advice="Wait until they have ended, and apply or drop what was rerun.",
        )
    if found.stalled and not (force and found.forceable):
        return Conflict(
            f"{len(found.stalled)} of {found.entries} final entries stalled, were cancelled, or have an outdated score: "
            + ", ".join(one[:8] for one in found.stalled)
            + ".",
            advice="Rerun them on the private split. "
            "One that has no score then either can be left without by forcing the reveal.",
        )
    return None
