"""The way in: accept a bundle, read it back, cancel it, rerun it."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import ColumnElement, Engine, exists, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from app import access, archive, disqualification, entrants, evaluations, events, quota, registry
from app.competitions import CompetitionConfig
from app.db import UnitOfWork, read_only, unit_of_work
from app.errors import BadRequest, CompetitionClosed, Conflict, Forbidden, IdempotencyMismatch, NotFound
from app.models import Competition, Evaluation, Reference, Rerun, Submission, User
from app.phases import Phase, phase_of
from app.queue import Doorbell
from app.status import Status
from app.storage import Storage
from app.text import has_control

log = logging.getLogger("lethe.web")
MAX_NOTE = 200
MAX_KEY = 128


@dataclass(frozen=True)
class Accepted:
    """A submission that is committed; `created` is False when an Idempotency-Key replayed an earlier one."""

    submission_id: str
    created: bool


@dataclass(frozen=True)
class _Upload:
    """What identifies an upload."""

    user_id: str
    slug: str
    digest: str
    size: int
    note: str
    key: str | None


def accept(  # noqa: PLR0913 - who, what, when, and what it needs
    engine: Engine,
    storage: Storage,
    *,
    user_id: str,
    slug: str,
    upload: Path,
    note: str,
    idempotency_key: str | None,
    now: datetime,
    begun: datetime | None = None,
    queue_due: timedelta,
    seeds: Callable[[int], Sequence[int]] = evaluations.fresh_seeds,
    bell: Doorbell | None = None,
) -> Accepted:
    """Take an upload in; when this returns, the submission is committed, its bundle is stored, and workers are woken.

    An upload that has `begun` before the close is in time, however long it took to arrive; quota is that of `now`.
    Raises Rejected for a bad bundle, QuotaExhausted, Disqualified, CompetitionClosed, NotPrepared, NotFound, BadRequest or
    IdempotencyMismatch; none of them spends quota or leaves a row. `upload` is left where it is.
    """
    _check_words(note, idempotency_key)
    begun = now if begun is None else begun
    incoming = _Upload(user_id, slug, _sha256(upload), upload.stat().st_size, note, idempotency_key)
    with read_only(engine) as session:
        replayed = _replay(session, incoming)
        if replayed is not None:
            return replayed
        competition, config, _ = open_competition(session, slug, begun)
        disqualification.check(session, competition, user_id)
        quota.check(quota.remaining(session, user_id, competition, config, now), now)
    archive.inspect(upload, config.bundle, config.entry_function)
    storage.put_file(upload)
    with unit_of_work(engine) as session:
        accepted, device = _insert(session, incoming, now, begun, seeds, now + queue_due)
        if bell is not None and accepted.created:
            session.after_commit(lambda: bell.ring(device))
    return accepted


def _insert(
    session: UnitOfWork,
    incoming: _Upload,
    now: datetime,
    begun: datetime,
    seeds: Callable[[int], Sequence[int]],
    due: datetime,
) -> tuple[Accepted, str]:
    """Insert the rows under the entrant's lock, so that neither quota nor Idempotency-Key can be used twice.

    The competition is held, so that nothing is accepted once a close has looked for what it waits for. Return also the class of devices that may run it.
    """
    entrant = entrants.lock(session, incoming.user_id, registry.hold(session, incoming.slug).id)
    replayed = _replay(session, incoming)
    if replayed is not None:
        return replayed, "any"
    competition, config, reference = open_competition(session, incoming.slug, begun)
    disqualification.check(session, competition, incoming.user_id)
    submission = Submission(
        id=uuid4().hex,
        user_id=incoming.user_id,
        competition_id=competition.id,
        team_id=entrant.team_id,
        bundle_digest=incoming.digest,
        bundle_bytes=incoming.size,
        note=incoming.note,
        idempotency_key=incoming.key,
        created_at=now,
    )
    session.add(submission)
    session.flush()
    quota.debit(session, incoming.user_id, competition, config, submission.id, now)
    actor = session.get_one(User, incoming.user_id).name
    events.write(
        session, "submission.accepted", actor, now, submission_id=submission.id, detail=incoming.digest
    )
    evaluation = evaluate(
        session, submission, config, reference, seeds(reference.n_models), actor=actor, now=now, due=due
    )
    ids = {"submission_id": submission.id, "evaluation_id": evaluation.id}
    session.after_commit(lambda: log.info("a submission is accepted", extra={"fields": ids}))
    return Accepted(submission.id, created=True), config.evaluation.device


def get(session: Session, submission_id: str, viewer: User, *options: ORMOption) -> Submission:
    """Return a submission to its owners or an organiser. Raises NotFound for everyone else."""
    submission = session.get(Submission, submission_id, options=options)
    if submission is None or not access.may_read(
        viewer, entrants.people_of(session, submission), submission.competition.slug
    ):
        raise NotFound(NOT_YOURS)
    return submission


NOT_YOURS = "There is no such submission, or it is not yours."


def is_held(evaluation: Evaluation) -> bool:
    """Return whether an evaluation is of a rerun of many that has not been applied."""
    return evaluation.rerun is not None and evaluation.rerun.decision != "applied"


def get_evaluation(session: Session, evaluation_id: str, viewer: User) -> Evaluation:
    """Return an evaluation to its submission's owners, once its split is to be seen, or an organiser. Raises NotFound."""
    found = session.get(Evaluation, evaluation_id)
    if found is not None:
        competition, owners = found.submission.competition, entrants.people_of(session, found.submission)
        if access.may_read(viewer, owners, competition.slug) and access.may_see_split(
            viewer, found.split, competition.slug, competition.revealed_at, held=is_held(found)
        ):
            return found
    raise NotFound("There is no such evaluation, or it is not yours to see.")


def published_evaluation(submission: Submission, split: str = "public") -> Evaluation:
    """Return the evaluation that is shown for a split. Raises NotFound when there is none."""
    for evaluation in submission.evaluations:
        if evaluation.published and evaluation.split == split:
            return evaluation
    raise NotFound(f"The submission has no evaluation on the {split} split.")


def cancel(
    session: Session, submission_id: str, actor: User, now: datetime, evaluation_id: str | None = None
) -> list[Evaluation]:
    """Cancel one evaluation, or all that are not done yet; return those that the cancel reached.

    An owner may cancel their first evaluation, an organiser reruns too. Raises NotFound, and Conflict when there is
    nothing to cancel.
    """
    submission = get(session, submission_id, actor)
    if evaluation_id is not None:
        chosen = get_evaluation(session, evaluation_id, actor)
        if chosen.submission_id != submission.id:
            raise NotFound("The submission has no such evaluation.")
    owners = entrants.people_of(session, submission)
    active = [
        one.id
        for one in submission.evaluations
        if one.status is not Status.DONE
        and evaluation_id in {None, one.id}
        and access.may_cancel(actor, owners, submission.competition.slug, one.split, one.generation)
    ]
    locked = evaluations.lock(session, active)
    reached = [one for one in locked if evaluations.cancel(session, one, actor.name, now)]
    if not reached:
        raise Conflict("It has ended already, or is a rerun of an organiser's: there is nothing to cancel.")
    return reached


def rerun(
    session: Session,
    submission_id: str,
    split: str,
    actor: User,
    now: datetime,
    *,
    queue_due: timedelta,
    seeds: Sequence[int] | None = None,
) -> Evaluation:
    """Queue a new evaluation beside the old, under the current reference.

    It is shown instead of the old when it scores; also when the old one ended without a score, unless the rerun was
    cancelled or stalled. A score under an older reference never takes the place of one under the current.
    Raises Forbidden unless the actor organises its competition, and Conflict while another one of that split is under way.
    """
    submission = get(session, submission_id, actor)
    if not access.organises(actor, submission.competition.slug):
        raise Forbidden("Only an organiser can rerun a submission.")
    session.execute(
        select(Submission.id).where(Submission.id == submission.id).with_for_update(key_share=True)
    )
    of_split = exists().where(Evaluation.submission_id == submission.id, Evaluation.split == split)
    if session.scalar(select(of_split.where(Evaluation.status != Status.DONE))):
        raise Conflict(f"An evaluation on the {split} split is still under way; cancel it first.")
    if session.scalar(select(of_split.where(undecided()))):
        raise Conflict(
            f"A rerun on the {split} split waits for a decision.",
            advice="Apply or drop it, among the reruns.",
        )
    reference = registry.current_reference(session, submission.competition, split)
    chosen = evaluations.fresh_seeds(reference.n_models) if seeds is None else seeds
    config = registry.config_of(submission.competition)
    return evaluate(
        session, submission, config, reference, chosen, actor=actor.name, now=now, due=now + queue_due
    )


def undecided() -> ColumnElement[bool]:
    """Return what holds for evaluations of a rerun that is neither applied nor dropped."""
    return exists().where(Rerun.id == Evaluation.rerun_id, Rerun.decision.is_(None))


def evaluate(
    session: Session,
    submission: Submission,
    config: CompetitionConfig,
    reference: Reference,
    seeds: Sequence[int],
    *,
    actor: str,
    now: datetime,
    due: datetime,
    rerun_id: str | None = None,
) -> Evaluation:
    """Queue an evaluation; the first one of a split is published at birth, unless it is of a rerun.

    Public data, if any, is tried first.
    """
    shown = exists().where(
        Evaluation.submission_id == submission.id, Evaluation.split == reference.split, Evaluation.published
    )
    return evaluations.create(
        session,
        submission,
        reference,
        config.evaluation.cutoff_fraction,
        seeds,
        published=rerun_id is None and not session.scalar(select(shown)),
        now=now,
        due=due,
        actor=actor,
        smoke_seed=evaluations.fresh_seeds(1)[0] if reference.smoke else None,
        rerun_id=rerun_id,
    )


def open_competition(
    session: Session, slug: str, now: datetime
) -> tuple[Competition, CompetitionConfig, Reference]:
    """Return a competition that takes submissions now. Raises NotFound, CompetitionClosed or NotPrepared."""
    competition = registry.get_competition(session, slug)
    phase = phase_of(competition.times, now)
    if phase is Phase.UPCOMING:
        raise CompetitionClosed(f"{competition.title} opens at {competition.opens_at:%Y-%m-%d %H:%M} UTC.")
    if phase is not Phase.OPEN or competition.closed_at is not None:
        raise CompetitionClosed(
            f"{competition.title} closed at {competition.closes_at:%Y-%m-%d %H:%M} UTC.",
            advice="Late submissions are not taken. What had begun to arrive before the close counts as in time.",
        )
    reference = registry.current_reference(session, competition, "public")
    return competition, registry.config_of(competition), reference


def _replay(session: Session, incoming: _Upload) -> Accepted | None:
    """Return the submission that this user made under the same key. Raises IdempotencyMismatch."""
    if incoming.key is None:
        return None
    earlier = session.scalar(
        select(Submission).where(
            Submission.user_id == incoming.user_id, Submission.idempotency_key == incoming.key
        )
    )
    if earlier is None:
        return None
    if (earlier.bundle_digest, earlier.competition.slug) != (incoming.digest, incoming.slug):
        raise IdempotencyMismatch(
            "This Idempotency-Key was used for another bundle or competition.",
            advice="Send a new key with each new upload.",
        )
    return Accepted(earlier.id, created=False)


def _check_words(note: str, key: str | None) -> None:
    if len(note) > MAX_NOTE:
        raise BadRequest(f"A note has at most {MAX_NOTE} characters; this one has {len(note)}.")
    if has_control(note):
        raise BadRequest("A note is one line: it holds no line ends, tabs or other control characters.")
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise BadRequest(f"An Idempotency-Key has 1 to {MAX_KEY} printable ASCII characters.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
