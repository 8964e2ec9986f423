"""Scores under another version of the grader, kept beside the current ones until they are published together.

A score is staged while its grader version is the one at hand and it is not current: nothing but this module reads
it. Publishing makes all of them current in one transaction, or none. `slug` names one competition; None means all.
Nothing here commits, and locks are taken as everywhere: evaluations first, in the order of their ids; then the
competitions, which an organiser who prepares again locks before references.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from app import evaluations, events, registry
from app.errors import Conflict
from app.evaluations.types import NewScore
from app.models import Competition, Evaluation, Reference, Score, Submission
from app.status import Status, Verdict

ACTOR = "operator"


@dataclass(frozen=True)
class Waiting:
    """A scored evaluation that has no score under the version at hand."""

    evaluation_id: str
    submission_id: str
    competition: str
    split: str
    reference_digest: str


@dataclass(frozen=True)
class WaitingReference:
    """A reference whose row of retraining was not made by the version at hand."""

    id: str
    competition: str
    split: str
    reference_digest: str


@dataclass(frozen=True)
class Published:
    """How many scores became current, and how many references got a new row of retraining."""

    scores: int
    references: int


@dataclass(frozen=True)
class _Change:
    """A current score and the staged one that replaces it."""

    evaluation_id: str
    submission_id: str
    competition_id: str
    old_id: str
    old_version: str
    old_score: float
    new_id: str
    new_score: float


def waiting(session: Session, version: str, slug: str | None = None) -> Sequence[Waiting]:
    """Return what is still to be graded, those of one reference together. Raises NotFound for an unknown slug."""
    _check(session, slug)
    done = exists().where(Score.evaluation_id == Evaluation.id, Score.grader_version == version)
    query = (
        select(
            Evaluation.id,
            Submission.id,
            Competition.slug,
            Evaluation.split,
            Reference.digest,
        )
        .join(Submission, Submission.id == Evaluation.submission_id)
        .join(Competition, Competition.id == Submission.competition_id)
        .join(Reference, Reference.id == Evaluation.reference_id)
        .where(*_scored(slug), ~done)
        .order_by(Competition.slug, Evaluation.split, Reference.version, Evaluation.created_at, Evaluation.id)
    )
    return [Waiting(*row) for row in session.execute(query)]


def waiting_references(session: Session, version: str, slug: str | None = None) -> Sequence[WaitingReference]:
    """Return the references in use, current or of scored evaluations, whose row of retraining is another version's.

    Raises NotFound for an unknown slug.
    """
    return [
        WaitingReference(reference.id, reference.competition.slug, reference.split, reference.digest)
        for reference in _references(session, version, slug)
    ]


def stage(session: Session, item: Waiting, score: NewScore, now: datetime) -> bool:
    """Keep a score until it is published; False when there is one of its version already."""
    evaluations.lock(session, [item.evaluation_id])
    known = exists().where(
        Score.evaluation_id == item.evaluation_id, Score.grader_version == score.grader_version
    )
    if session.scalar(select(known)):
        return False
    row = evaluations.row_of(item.evaluation_id, item.reference_digest, score, now, current=False)
    session.add(row)
    events.write(
        session,
        "score.staged",
        ACTOR,
        now,
        submission_id=item.submission_id,
        evaluation_id=item.evaluation_id,
        detail=f"grader version {score.grader_version}",
    )
    return True


def publish(
    session: Session,
    version: str,
    retraining: Mapping[str, Mapping[str, Any]],
    now: datetime,
    slug: str | None = None,
) -> Published:
    """Make every staged score current, and `retraining`, by reference id, the references' rows of retraining.

    Raises Conflict, and changes nothing, while anything in use has not been graded under the version.
    """
    lock(session, slug)
    lacking = len(waiting(session, version, slug))
    unknown = sum(one.id not in retraining for one in _references(session, version, slug))
    if lacking or unknown:
        raise Conflict(
            f"{lacking} evaluations and {unknown} references are not graded under version {version} yet: "
            "nothing is published.",
            advice="Run `lethe admin regrade` again, which grades what is missing; then publish.",
        )
    return swap(session, version, retraining, now, slug)


def swap(
    session: Session,
    version: str,
    retraining: Mapping[str, Mapping[str, Any]],
    now: datetime,
    slug: str | None = None,
) -> Published:
    """Make what is staged current, complete or not: `publish` asks first, a preview takes it back. Both hold the locks."""
    changes = _changes(session, version, slug)
    for of_change, current in (("old_id", False), ("new_id", True)):  # never two current rows
        rows = [{"id": getattr(change, of_change), "current": current} for change in changes]
        if rows:
            session.execute(update(Score), rows)
    references = [one for one in _references(session, version, slug) if one.id in retraining]
    for reference in references:
        reference.facts = {**reference.facts, "retraining": dict(retraining[reference.id])}
    _tell(session, version, changes, references, now)
    return Published(len(changes), len(references))


def drop(session: Session, version: str, now: datetime, slug: str | None = None) -> int:
    """Delete the staged scores of a version; return how many there were."""
    _check(session, slug)
    lock(session, slug)
    staged = [change.new_id for change in _changes(session, version, slug)]
    session.execute(
        delete(Score).where(
            Score.grader_version == version,
            ~Score.current,
            Score.evaluation_id.in_(select(Evaluation.id).where(*_scored(slug))),
        )
    )
    if staged:
        events.write(
            session, "regrade.dropped", ACTOR, now, detail=f"{len(staged)} scores, version {version}"
        )
    return len(staged)


def lock(session: Session, slug: str | None) -> None:
    """Lock every scored evaluation and its competition: staging, publishing, dropping and preparing take turns."""
    scored = select(Evaluation.id).where(*_scored(slug)).order_by(Evaluation.id)
    session.execute(scored.with_for_update(key_share=True))
    competitions = select(Competition.id).order_by(Competition.id)
    if slug is not None:
        competitions = competitions.where(Competition.slug == slug)
    session.execute(competitions.with_for_update(key_share=True))


def _check(session: Session, slug: str | None) -> None:
    if slug is not None:
        registry.get_competition(session, slug)


def _scored(slug: str | None) -> list[ColumnElement[bool]]:
    """Return what holds for the scored evaluations of a competition, or of all."""
    found = [Evaluation.status == Status.DONE, Evaluation.verdict == Verdict.SCORED]
    if slug is not None:
        of_competition = select(Submission.id).join(Competition).where(Competition.slug == slug)
        found.append(Evaluation.submission_id.in_(of_competition))
    return found


def _changes(session: Session, version: str, slug: str | None) -> list[_Change]:
    old, new = aliased(Score), aliased(Score)
    query = (
        select(
            Evaluation.id,
            Evaluation.submission_id,
            Submission.competition_id,
            old.id,
            old.grader_version,
            old.score,
            new.id,
            new.score,
        )
        .join(Submission, Submission.id == Evaluation.submission_id)
        .join(old, and_(old.evaluation_id == Evaluation.id, old.current))
        .join(new, and_(new.evaluation_id == Evaluation.id, new.grader_version == version, ~new.current))
        .where(*_scored(slug))
        .order_by(Evaluation.id)
    )
    return [_Change(*row) for row in session.execute(query)]


def _references(session: Session, version: str, slug: str | None) -> list[Reference]:
    used = exists().where(Evaluation.reference_id == Reference.id, Evaluation.verdict == Verdict.SCORED)
    query = select(Reference).join(Competition).where(or_(Reference.current, used))
    if slug is not None:
        query = query.where(Competition.slug == slug)
    query = query.order_by(Competition.slug, Reference.split, Reference.version)
    return [one for one in session.scalars(query) if _version_of(one) != version]


def _version_of(reference: Reference) -> str | None:
    """Return the grader version of a row of retraining; rows from before there was one hold none."""
    version = reference.facts.get("retraining", {}).get("grader_version")
    return None if version is None else str(version)


def _tell(
    session: Session, version: str, changes: Sequence[_Change], references: Sequence[Reference], now: datetime
) -> None:
    """Write the events, and mark the competitions as changed, which is what readers' caches ask for."""
    for change in changes:
        events.write(
            session,
            "evaluation.regraded",
            ACTOR,
            now,
            submission_id=change.submission_id,
            evaluation_id=change.evaluation_id,
            detail=f"grader version {change.old_version} to {version}: {change.old_score:.6f} to {change.new_score:.6f}",
        )
    touched = {change.competition_id for change in changes} | {one.competition_id for one in references}
    for competition in session.scalars(
        select(Competition).where(Competition.id.in_(touched)).order_by(Competition.id)
    ):
        competition.updated_at = now
        events.write(
            session, "regrade.published", ACTOR, now, detail=f"{competition.slug}, version {version}"
        )
