"""What pages and API show of submissions."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from app import access, cursors, disqualification, entrants, leaderboard, submissions
from app.competitions import Publish
from app.models import Competition, Evaluation, QuotaEntry, Run, Score, Submission, TeamMember, User
from app.schemas.scores import RetrainingOut
from app.schemas.submissions import (
    EvaluationSummary,
    Links,
    RunCounts,
    RunOut,
    SmokeOut,
    SubmissionOut,
    SubmissionPage,
    SubmissionSummary,
)
from app.status import RunKind, RunStatus, Status
from app.views.competitions import decimals_of, disqualified_out, retraining_of
from app.views.evaluations import publish_of, ranked_score, ranking_of, reason_of, score_of
from app.views.progress import progress_of
from app.views.queue import Place

PAGE_SIZE = 25
PlaceOf = Callable[[Session, str, datetime], Place | None]
"""Finds an evaluation's place in the queue at a moment."""


_SHOWN = (
    joinedload(Submission.competition).defer(Competition.pages),
    joinedload(Submission.user),
    joinedload(Submission.team),
    selectinload(Submission.evaluations)
    .joinedload(Evaluation.score)
    .defer(Score.report)
    .defer(Score.replicates),
)
"""What is shown of a submission; reports and pages stay in the database."""


def links_of(submission_id: str) -> Links:
    """Return where a submission is."""
    return Links(self=f"/api/v1/submissions/{submission_id}", html=f"/submissions/{submission_id}")


def describe(session: Session, submission_id: str, viewer: User, place: Place | None = None) -> SubmissionOut:
    """Return a submission with its published public evaluation. Raises NotFound unless it is the viewer's to see."""
    return _describe(session, submissions.get(session, submission_id, viewer, *_SHOWN), viewer, place)


def _describe(session: Session, submission: Submission, viewer: User, place: Place | None) -> SubmissionOut:
    evaluation = submissions.published_evaluation(submission)
    publish = publish_of(evaluation)
    seen = _seen(submission, viewer)
    return SubmissionOut(
        id=submission.id,
        competition=submission.competition.slug,
        user=submission.user.name,
        team=None if submission.team is None else submission.team.name,
        note=submission.note,
        created_at=submission.created_at,
        bundle_digest=submission.bundle_digest,
        bundle_bytes=submission.bundle_bytes,
        status=evaluation.status,
        verdict=evaluation.verdict,
        reason=reason_of(evaluation),
        runs=_counts(evaluation),
        progress=progress_of(submission, evaluation, place, publish),
        cutoff_seconds=evaluation.cutoff_seconds,
        decimals=decimals_of(publish),
        generation=evaluation.generation,
        score=score_of(evaluation),
        reference_version=evaluation.reference.version,
        evaluations=[_listed(one, publish) for one in seen],
        refunded=_is_refunded(session, submission),
        may_cancel=_may_cancel(session, submission, seen, viewer),
        run_details=[_run(run, publish) for run in evaluation.seed_runs],
        smoke=_smoke(evaluation.smoke_run, submission.id, publish),
        disqualified=disqualified_out(disqualification.of_submission(session, submission)),
        links=links_of(submission.id),
    )


def _seen(submission: Submission, viewer: User) -> list[Evaluation]:
    """Return the evaluations that the viewer may know of, oldest first; what changes among them moves the mark of polls."""
    slug, revealed_at = submission.competition.slug, submission.competition.revealed_at
    found = [
        one
        for one in submission.evaluations
        if access.may_see_split(viewer, one.split, slug, revealed_at, held=submissions.is_held(one))
    ]
    return sorted(found, key=lambda one: (one.created_at, one.generation, one.split))


def _listed(evaluation: Evaluation, publish: Publish) -> EvaluationSummary:
    return EvaluationSummary.rounded(
        publish,
        id=evaluation.id,
        split=evaluation.split,
        generation=evaluation.generation,
        status=evaluation.status,
        verdict=evaluation.verdict,
        reason=evaluation.reason,
        published=evaluation.published,
        cancel_requested=evaluation.cancel_requested,
        score=ranked_score(evaluation),
        created_at=evaluation.created_at,
    )


def _is_refunded(session: Session, submission: Submission) -> bool:
    refund = select(QuotaEntry.id).where(
        QuotaEntry.submission_id == submission.id, QuotaEntry.kind == "refund"
    )
    return session.scalar(refund) is not None


def _may_cancel(session: Session, submission: Submission, seen: Sequence[Evaluation], viewer: User) -> bool:
    active = [one for one in seen if one.status is not Status.DONE and not one.cancel_requested]
    owners = entrants.people_of(session, submission) if active else ()
    slug = submission.competition.slug
    return any(access.may_cancel(viewer, owners, slug, one.split, one.generation) for one in active)


def _run(run: Run, publish: Publish) -> RunOut:
    return RunOut.rounded(
        publish,
        seed_index=run.seed_index,
        status=run.status,
        seconds=run.seconds,
        cutoff_seconds=run.cutoff_seconds,
        device=None if run.calibration is None else run.calibration.device_name,
        reason=run.reason,
        losses=run.losses,
    )


def _smoke(run: Run | None, submission_id: str, publish: Publish) -> SmokeOut | None:
    if run is None:
        return None
    return SmokeOut.rounded(
        publish,
        status=run.status,
        verdict=run.verdict,
        reason=run.reason,
        seconds=run.seconds,
        log=None if run.started_at is None else f"/api/v1/submissions/{submission_id}/log",
        dropped_bytes=run.log_dropped_bytes,
    )


def _counts(evaluation: Evaluation) -> RunCounts:
    by_status = Counter(run.status for run in evaluation.seed_runs)
    return RunCounts(
        total=evaluation.n_runs,
        succeeded=by_status[RunStatus.SUCCEEDED],
        running=by_status[RunStatus.RUNNING],
        queued=by_status[RunStatus.QUEUED],
        failed=by_status[RunStatus.FAILED],
    )


@dataclass(frozen=True)
class Detail:
    """What the submission's page shows beyond the API's answer."""

    submission: SubmissionOut
    competition_title: str
    retraining: RetrainingOut | None
    ranked: bool  # whether scores under its reference are on the leaderboard
    best: str | None  # the submission by which its entrant ranks
    organises: bool  # whether the viewer may act for everybody in its competition


def detail(session: Session, submission_id: str, viewer: User, now: datetime, place_of: PlaceOf) -> Detail:
    """Return everything that the submission's page shows. Raises NotFound."""
    submission = submissions.get(session, submission_id, viewer, *_SHOWN)
    evaluation = submissions.published_evaluation(submission)
    place = None if evaluation.status is Status.DONE else place_of(session, evaluation.id, now)
    return Detail(
        submission=_describe(session, submission, viewer, place),
        competition_title=submission.competition.title,
        retraining=retraining_of(evaluation.reference),
        ranked=evaluation.reference.current,
        best=leaderboard.best_of(
            session, submission.competition, submission.team_id or submission.user_id, now
        ),
        organises=access.organises(viewer, submission.competition.slug),
    )


def mine(session: Session, viewer: User, competition: str | None, cursor: str | None) -> SubmissionPage:
    """Return a page of the viewer's and their teams' submissions, newest first.

    Raises BadRequest for a cursor that is not ours.
    """
    teams = select(TeamMember.team_id).where(TeamMember.user_id == viewer.id)
    query = (
        select(Submission)
        .where(or_(Submission.user_id == viewer.id, Submission.team_id.in_(teams)))
        .options(*_SHOWN)
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
    done, out = _runs_done(session, shown), disqualification.among(session, [one.id for one in shown])
    items = [_summary(one, done, disqualified=one.id in out) for one in shown]
    if len(found) <= PAGE_SIZE:
        return SubmissionPage(items=items, next=None, next_cursor=None)
    after = cursors.encode(cursors.Position(shown[-1].created_at, shown[-1].id))
    chosen = {"cursor": after} if competition is None else {"competition": competition, "cursor": after}
    return SubmissionPage(items=items, next=f"/api/v1/submissions?{urlencode(chosen)}", next_cursor=after)


def _runs_done(session: Session, found: Sequence[Submission]) -> dict[str, int]:
    ids = [submissions.published_evaluation(one).id for one in found]
    rows = session.execute(
        select(Run.evaluation_id, func.count(Run.id))
        .where(Run.evaluation_id.in_(ids), Run.status == RunStatus.SUCCEEDED, Run.kind == RunKind.SEED)
        .group_by(Run.evaluation_id)
    )
    return dict(rows.all())


def _summary(submission: Submission, done: dict[str, int], *, disqualified: bool) -> SubmissionSummary:
    evaluation = submissions.published_evaluation(submission)
    publish = publish_of(evaluation)
    return SubmissionSummary.rounded(
        publish,
        decimals=decimals_of(publish),
        id=submission.id,
        competition=submission.competition.slug,
        competition_title=submission.competition.title,
        user=submission.user.name,
        team=None if submission.team is None else submission.team.name,
        note=submission.note,
        created_at=submission.created_at,
        status=evaluation.status,
        verdict=evaluation.verdict,
        reason=evaluation.reason,
        ranked_by=ranking_of(evaluation),
        score=ranked_score(evaluation),
        runs_done=done.get(evaluation.id, 0),
        runs_total=evaluation.n_runs,
        generation=evaluation.generation,
        disqualified=disqualified,
        links=links_of(submission.id),
    )
