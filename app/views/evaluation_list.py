"""Evaluations of everybody, as admins and organisers filter them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeVarTuple
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, true, tuple_
from sqlalchemy.orm import Session, joinedload

from app import access, cursors, disqualification
from app.errors import BadRequest
from app.evaluation_filter import Chosen, EvaluationFilter
from app.models import Calibration, Competition, Evaluation, Reference, Run, Score, Submission, User
from app.reruns import MOST
from app.schemas.evaluations import EvaluationRow, EvaluationRows
from app.schemas.submissions import Links
from app.status import Status
from app.views.competitions import decimals_of
from app.views.evaluations import publish_of, ranked_score

_Ts = TypeVarTuple("_Ts")
PAGE_SIZE = 50
Act = Literal["rerun", "cancel"]
_NEWEST = (Evaluation.created_at.desc(), Evaluation.id.desc())
_STATUSES = (Status.QUEUED, Status.RUNNING, Status.SCORING, Status.DONE)


@dataclass(frozen=True)
class Selection:
    """Evaluations that something is about to be done with, and how many there are of each kind."""

    items: list[EvaluationRow]
    groups: dict[tuple[str, str, str], int]  # by competition, split, and verdict or status
    more: bool  # whether more matched than can be done at once


@dataclass(frozen=True)
class Options:
    """What the filter's fields offer."""

    competitions: Sequence[str]
    reasons: Sequence[str]
    devices: Sequence[str]
    workers: Sequence[str]


def page(session: Session, wanted: EvaluationFilter, viewer: User) -> EvaluationRows:
    """Return evaluations of what the viewer organises, newest first. Raises BadRequest for a cursor that is not ours."""
    query = _with_names(_matching(select(Evaluation), wanted, viewer)).order_by(*_NEWEST).limit(PAGE_SIZE + 1)
    if wanted.cursor:
        at = cursors.decode(wanted.cursor)
        query = query.where(tuple_(Evaluation.created_at, Evaluation.id) < tuple_(at.created_at, at.id))
    found = session.scalars(query).all()
    items = _rows(session, found[:PAGE_SIZE])
    counts = _counts(session, wanted, viewer)
    total = counts[wanted.status] if wanted.status else sum(counts.values())
    if len(found) <= PAGE_SIZE:
        return EvaluationRows(items=items, total=total, counts=counts, next=None, next_cursor=None)
    after = cursors.encode(cursors.Position(items[-1].created_at, items[-1].id))
    path = f"/api/v1/admin/evaluations?{urlencode(wanted.query() | {'cursor': after})}"
    return EvaluationRows(items=items, total=total, counts=counts, next=path, next_cursor=after)


def _with_names(query: Select[Evaluation]) -> Select[Evaluation]:
    submission = joinedload(Evaluation.submission)
    return query.options(
        submission.joinedload(Submission.user),
        submission.joinedload(Submission.competition).load_only(Competition.slug, Competition.config),
        joinedload(Evaluation.score).load_only(Score.score, Score.calibrated_score),
    )


def _rows(session: Session, found: Sequence[Evaluation]) -> list[EvaluationRow]:
    out = disqualification.among(session, {one.submission_id for one in found})
    return [_row(one, disqualified=one.submission_id in out) for one in found]


def _row(one: Evaluation, *, disqualified: bool) -> EvaluationRow:
    submission, publish = one.submission, publish_of(one)
    return EvaluationRow.rounded(
        publish,
        id=one.id,
        submission_id=submission.id,
        name=submission.user.name,
        competition=submission.competition.slug,
        split=one.split,
        generation=one.generation,
        status=one.status,
        verdict=one.verdict,
        reason=one.reason,
        published=one.published,
        cancel_requested=one.cancel_requested and one.status is not Status.DONE,
        rerun_id=one.rerun_id,
        disqualified=disqualified,
        score=ranked_score(one),
        decimals=decimals_of(publish),
        created_at=one.created_at,
        links=Links(self=f"/api/v1/evaluations/{one.id}", html=f"/submissions/{submission.id}"),
    )


def chosen(session: Session, wanted: Chosen, act: Act, viewer: User) -> Selection:
    """Return what is to be graded again or stopped: the newest, as many as one rerun takes. Raises BadRequest for none."""
    if not wanted.evaluation and not wanted.all:
        raise BadRequest("Nothing is chosen.", advice="Choose evaluations in the list, or all that match.")
    query = _with_names(_matching(select(Evaluation), _meant(wanted), viewer))
    if not wanted.all:
        query = query.where(Evaluation.id.in_(wanted.evaluation))
    ended = Evaluation.status == Status.DONE
    query = query.where(ended if act == "rerun" else ~ended).order_by(*_NEWEST).limit(MOST + 1)
    found = session.scalars(query).all()
    items = _rows(session, found[:MOST])
    if act == "rerun":  # on each split a submission is graded again once
        items = list({(one.submission_id, one.split): one for one in reversed(items)}.values())[::-1]
    groups = Counter((one.competition, one.split, one.verdict or one.status) for one in items)
    return Selection(items, dict(sorted(groups.items())), more=len(found) > MOST)


def _meant(wanted: Chosen) -> EvaluationFilter:
    """Return the filter by which all was chosen; of what was chosen one by one the competition alone."""
    return wanted if wanted.all else EvaluationFilter(competition=wanted.competition)


def options(session: Session, viewer: User) -> Options:
    """Return what there is to filter by in the competitions that the viewer organises."""
    reach = access.reach(viewer)
    here = true() if reach is None else Competition.slug.in_(reach)
    reasons = select(Evaluation.reason).where(Evaluation.reason.is_not(None)).distinct()
    workers = select(Run.worker).where(Run.worker.is_not(None)).distinct()
    devices = select(Calibration.device_name).distinct().order_by(Calibration.device_name)
    if reach is not None:
        of_reference = Reference.competition_id.in_(select(Competition.id).where(here))
        reasons = reasons.join(Reference, Reference.id == Evaluation.reference_id).where(of_reference)
        workers = workers.join(Reference, Reference.id == Run.reference_id).where(of_reference)
        devices = devices.join(Reference, Reference.id == Calibration.reference_id).where(of_reference)
    return Options(
        competitions=session.scalars(select(Competition.slug).where(here).order_by(Competition.slug)).all(),
        reasons=sorted(one for one in session.scalars(reasons) if one),
        devices=session.scalars(devices).all(),
        workers=sorted(one for one in session.scalars(workers) if one),
    )


def _counts(session: Session, wanted: EvaluationFilter, viewer: User) -> dict[Status, int]:
    """Count what matches all but the status, by status."""
    query = select(Evaluation.status, func.count(Evaluation.id)).group_by(Evaluation.status)
    rows = session.execute(_matching(query, wanted.model_copy(update={"status": None}), viewer))
    return dict.fromkeys(_STATUSES, 0) | dict(rows.all())


def _matching(query: Select[*_Ts], wanted: EvaluationFilter, viewer: User) -> Select[*_Ts]:
    joined = query.join(Submission, Submission.id == Evaluation.submission_id)
    reach = access.reach(viewer)
    if reach is not None:
        theirs = select(Competition.id).where(Competition.slug.in_(reach))
        joined = joined.where(Submission.competition_id.in_(theirs))
    return joined.where(*_conditions(wanted))


def _conditions(wanted: EvaluationFilter) -> list[ColumnElement[bool]]:
    of_run = Run.evaluation_id == Evaluation.id
    found: dict[str, ColumnElement[bool]] = {
        "competition": Submission.competition_id.in_(
            select(Competition.id).where(Competition.slug == wanted.competition)
        ),
        "person": Submission.user_id.in_(select(User.id).where(User.name == wanted.person)),
        "status": Evaluation.status == wanted.status,
        "verdict": Evaluation.verdict == wanted.verdict,
        "reason": Evaluation.reason == wanted.reason,
        "split": Evaluation.split == wanted.split,
        "worker": exists().where(of_run, Run.worker == wanted.worker),
        "device": exists().where(
            of_run,
            Run.calibration_id == Calibration.id,
            or_(Calibration.device_name == wanted.device, Calibration.device == wanted.device),
        ),
        "since": Evaluation.created_at >= _midnight(wanted.since or date.min),
        "until": Evaluation.created_at < _midnight((wanted.until or date.min) + timedelta(days=1)),
        "shown": Evaluation.published == (wanted.shown == "yes"),
    }
    return [condition for name, condition in found.items() if getattr(wanted, name) is not None]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
