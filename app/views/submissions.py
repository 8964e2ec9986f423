"""What pages and API show of submissions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from app import cursors, submissions
from app.models import Competition, Evaluation, QuotaEntry, Run, Submission, User
from app.reasons import REASONS
from app.schemas import (
    EvaluationOut,
    Links,
    ReasonOut,
    RetrainingOut,
    RunCounts,
    RunOut,
    ScoreOut,
    SubmissionOut,
    SubmissionPage,
    SubmissionSummary,
)
from app.status import RunStatus, Status
from app.views.competitions import retraining_of

PAGE_SIZE = 25


def links_of(submission_id: str) -> Links:
    """Return where a submission is."""
    return Links(self=f"/api/v1/submissions/{submission_id}", html=f"/submissions/{submission_id}")


def describe(session: Session, submission_id: str, viewer: User) -> SubmissionOut:
    """Return a submission with its published public evaluation. Raises NotFound unless it is the viewer's to see."""
    return _describe(submissions.get(session, submission_id, viewer))


def _describe(submission: Submission) -> SubmissionOut:
    evaluation = submissions.published_evaluation(submission)
    return SubmissionOut(
        id=submission.id,
        competition=submission.competition.slug,
        user=submission.user.name,
        note=submission.note,
        created_at=submission.created_at,
        bundle_digest=submission.bundle_digest,
        bundle_bytes=submission.bundle_bytes,
        status=evaluation.status,
        verdict=evaluation.verdict,
        reason=reason_of(evaluation),
        runs=_counts(evaluation),
        cutoff_seconds=evaluation.cutoff_seconds,
        generation=evaluation.generation,
        score=_score(evaluation),
        run_details=[
            RunOut(seed_index=run.seed_index, status=run.status, seconds=run.seconds, reason=run.reason)
            for run in evaluation.runs
        ],
        links=links_of(submission.id),
    )


def reason_of(evaluation: Evaluation) -> ReasonOut | None:
    """Return why an evaluation ended without a score, in the words of app.reasons."""
    if evaluation.reason is None:
        return None
    reason = REASONS[evaluation.reason]
    return ReasonOut(code=reason.code, cause=reason.cause, advice=reason.advice, fault=reason.fault)


def _counts(evaluation: Evaluation) -> RunCounts:
    by_status = Counter(run.status for run in evaluation.runs)
    return RunCounts(
        total=evaluation.n_runs,
        succeeded=by_status[RunStatus.SUCCEEDED],
        running=by_status[RunStatus.RUNNING],
        queued=by_status[RunStatus.QUEUED],
        failed=by_status[RunStatus.FAILED],
    )


def _score(evaluation: Evaluation) -> ScoreOut | None:
    score = evaluation.score
    if score is None:
        return None
    retraining = retraining_of(evaluation.reference)
    return ScoreOut(
        score=score.score,
        forgetting_quality=score.forgetting_quality,
        retain_ratio=score.retain_ratio,
        test_ratio=score.test_ratio,
        retraining_score=None if retraining is None else retraining.score,
        grader_version=score.grader_version,
        reference_digest=score.reference_digest,
    )


@dataclass(frozen=True)
class Stage:
    """One step of a submission's way; `state` is done, now or ahead."""

    name: str
    state: str
    at: datetime | None
    seconds: float | None


@dataclass(frozen=True)
class Detail:
    """What the submission's page shows beyond the API's answer."""

    submission: SubmissionOut
    competition_title: str
    retraining: RetrainingOut | None
    stages: tuple[Stage, ...]
    generations: tuple[Evaluation, ...]
    ahead: int
    refunded: bool
    reference_version: int
    cancelling: bool
    may_cancel: bool


def detail(session: Session, submission_id: str, viewer: User, now: datetime) -> Detail:
    """Return everything that the submission's page shows. Raises NotFound."""
    submission = submissions.get(session, submission_id, viewer)
    evaluation = submissions.published_evaluation(submission)
    active = [one for one in submission.evaluations if one.status is not Status.DONE]
    refund = select(QuotaEntry.id).where(
        QuotaEntry.submission_id == submission.id, QuotaEntry.kind == "refund"
    )
    return Detail(
        submission=_describe(submission),
        competition_title=submission.competition.title,
        retraining=retraining_of(evaluation.reference),
        stages=stages(evaluation, now),
        generations=tuple(submission.evaluations),
        ahead=_ahead(session, evaluation),
        refunded=session.scalar(refund) is not None,
        reference_version=evaluation.reference.version,
        cancelling=any(one.cancel_requested for one in active),
        may_cancel=any(not one.cancel_requested and _may_cancel(one, viewer) for one in active),
    )


def _may_cancel(evaluation: Evaluation, viewer: User) -> bool:
    """Return whether the viewer may stop this one: a rerun is for admins only."""
    return viewer.role == "admin" or (evaluation.generation == 1 and evaluation.split == "public")


def _ahead(session: Session, evaluation: Evaluation) -> int:
    """Return how many evaluations were queued earlier and are not done."""
    if evaluation.status is not Status.QUEUED:
        return 0
    earlier = select(func.count(Evaluation.id)).where(
        Evaluation.status != Status.DONE, Evaluation.created_at < evaluation.created_at
    )
    return session.scalar(earlier) or 0


def stages(evaluation: Evaluation, now: datetime) -> tuple[Stage, ...]:
    """Return the four stages with when each began and how long it took, or has taken so far."""
    ended = [run.finished_at for run in evaluation.runs if run.finished_at is not None]
    reached_scoring = evaluation.status is Status.SCORING or evaluation.score is not None
    scoring_at = max(ended) if reached_scoring and ended else None
    begun = {
        "Queued": evaluation.created_at,
        "Running": evaluation.started_at,
        "Scoring": scoring_at,
        "Done": evaluation.finished_at,
    }
    present = [(name, at) for name, at in begun.items() if at is not None]
    last = present[-1][0]
    found = []
    for name, at in begun.items():
        later = next((moment for _, moment in present if at is not None and moment > at), None)
        until = None if at is None or name == "Done" else (later or (now if name == last else at))
        seconds = (until - at).total_seconds() if at is not None and until is not None else None
        state = "ahead" if at is None else ("now" if name == last and name != "Done" else "done")
        found.append(Stage(name, state, at, seconds))
    if evaluation.status is Status.DONE:  # what was never reached is no longer ahead
        return tuple(stage for stage in found if stage.at is not None)
    return tuple(found)


def version(session: Session, submission_id: str, viewer: User) -> tuple[str, bool]:
    """Return a text that changes with what the page shows, and whether it is final. Raises NotFound."""
    submission = submissions.get(session, submission_id, viewer)
    evaluation = submissions.published_evaluation(submission)
    counts = _counts(evaluation)
    newest = max(one.generation for one in submission.evaluations)
    states = ",".join(one.status for one in submission.evaluations)
    mark = (
        f"{newest}/{evaluation.generation}/{states}/{counts.model_dump_json()}/{evaluation.cancel_requested}"
    )
    return mark, all(one.status is Status.DONE for one in submission.evaluations)


def mine(session: Session, viewer: User, competition: str | None, cursor: str | None) -> SubmissionPage:
    """Return a page of the viewer's submissions, newest first. Raises BadRequest for a cursor that is not ours."""
    query = (
        select(Submission)
        .where(Submission.user_id == viewer.id)
        .options(
            joinedload(Submission.competition),
            joinedload(Submission.user),
            selectinload(Submission.evaluations).joinedload(Evaluation.score),
        )
        .order_by(Submission.created_at.desc(), Submission.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if competition is not None:
        query = query.join(Competition).where(Competition.slug == competition)
    if cursor is not None:
        at = cursors.decode(cursor)
        query = query.where(tuple_(Submission.created_at, Submission.id) < tuple_(at.created_at, at.id))
    found = session.scalars(query).all()
    shown = found[:PAGE_SIZE]
    done = _runs_done(session, shown)
    items = [_summary(one, done) for one in shown]
    if len(found) <= PAGE_SIZE:
        return SubmissionPage(items=items, next=None, next_cursor=None)
    after = cursors.encode(cursors.Position(shown[-1].created_at, shown[-1].id))
    chosen = {"cursor": after} if competition is None else {"competition": competition, "cursor": after}
    return SubmissionPage(items=items, next=f"/api/v1/submissions?{urlencode(chosen)}", next_cursor=after)


def _runs_done(session: Session, found: Sequence[Submission]) -> dict[str, int]:
    ids = [submissions.published_evaluation(one).id for one in found]
    rows = session.execute(
        select(Run.evaluation_id, func.count(Run.id))
        .where(Run.evaluation_id.in_(ids), Run.status == RunStatus.SUCCEEDED)
        .group_by(Run.evaluation_id)
    )
    return dict(rows.all())


def _summary(submission: Submission, done: dict[str, int]) -> SubmissionSummary:
    evaluation = submissions.published_evaluation(submission)
    return SubmissionSummary(
        id=submission.id,
        competition=submission.competition.slug,
        competition_title=submission.competition.title,
        user=submission.user.name,
        note=submission.note,
        created_at=submission.created_at,
        status=evaluation.status,
        verdict=evaluation.verdict,
        reason=evaluation.reason,
        score=None if evaluation.score is None else evaluation.score.score,
        runs_done=done.get(evaluation.id, 0),
        runs_total=evaluation.n_runs,
        generation=evaluation.generation,
        links=links_of(submission.id),
    )


def evaluation_out(evaluation: Evaluation) -> EvaluationOut:
    """Return one grading as the API answers it."""
    return EvaluationOut(
        id=evaluation.id,
        submission_id=evaluation.submission_id,
        split=evaluation.split,
        generation=evaluation.generation,
        status=evaluation.status,
        verdict=evaluation.verdict,
        published=evaluation.published,
        created_at=evaluation.created_at,
        links=links_of(evaluation.submission_id),
    )
