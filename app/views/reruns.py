"""What admins and organisers see of reruns of many: how far they are, and who would move if they were applied."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import Row, Select, and_, case, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload, load_only

from app import cursors, evaluations, leaderboard, registry, reruns
from app.models import Competition, Evaluation, Rerun, Score, Submission, User
from app.schemas.reruns import (
    BoardMovesOut,
    LeftOutOut,
    MoveOut,
    RerunItemOut,
    RerunMadeOut,
    RerunOut,
    RerunPage,
    RerunSummary,
    StandingOut,
    State,
)
from app.schemas.submissions import Links
from app.status import Status, Verdict
from app.views.competitions import decimals_of
from app.views.evaluations import publish_of, ranked_score
from app.views.rank_changes import Standing, moves, standings

PAGE_SIZE = 50
WITHOUT_SCORE = "ended without a score: what is shown stays"
FIRST = "nothing is shown on this split yet"
OLDER = "scored under an older reference: what is shown stays"
REPLACES = "takes the place of what is shown"

_COUNTED = (
    select(
        Rerun,
        func.count(Evaluation.id),
        func.sum(case((Evaluation.status == Status.DONE, 1), else_=0)),
    )
    .join(Evaluation, Evaluation.rerun_id == Rerun.id)
    .group_by(Rerun.id)
)


def listing(session: Session, viewer: User, competition: str, cursor: str | None) -> RerunPage:
    """Return a page of the viewer's reruns, newest first, perhaps only those that concern a competition, by slug.

    Raises BadRequest for a cursor that is not ours.
    """
    query = _COUNTED.where(reruns.are_of(viewer)).order_by(Rerun.created_at.desc(), Rerun.id.desc())
    query = query.limit(PAGE_SIZE + 1)
    if competition:
        query = query.where(Rerun.id.in_(_concerning(competition)))
    if cursor is not None:
        at = cursors.decode(cursor)
        query = query.where(tuple_(Rerun.created_at, Rerun.id) < tuple_(at.created_at, at.id))
    rows = session.execute(query).all()
    items = [_summary(row) for row in rows[:PAGE_SIZE]]
    if len(rows) <= PAGE_SIZE:
        return RerunPage(items=items, next=None, next_cursor=None)
    after = cursors.encode(cursors.Position(items[-1].at, items[-1].id))
    chosen = {"competition": competition} if competition else {}
    path = f"/api/v1/admin/reruns?{urlencode(chosen | {'cursor': after})}"
    return RerunPage(items=items, next=path, next_cursor=after)


def _concerning(slug: str) -> Select[str | None]:
    return (
        select(Evaluation.rerun_id)
        .join(Submission, Submission.id == Evaluation.submission_id)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(Competition.slug == slug, Evaluation.rerun_id.is_not(None))
    )


def undecided(session: Session) -> list[RerunSummary]:
    """Return the reruns that wait for runs or for a decision, oldest first."""
    query = _COUNTED.where(Rerun.decision.is_(None)).order_by(Rerun.created_at)
    return [_summary(row) for row in session.execute(query)]


def made(session: Session, one: reruns.Made) -> RerunMadeOut:
    """Return a rerun that was just made, with what was left out of it."""
    left = [LeftOutOut(submission_id=which, split=split, why=why) for which, split, why in one.left_out]
    return RerunMadeOut(**_of(session, one.id).model_dump(), left_out=left)


def describe(session: Session, rerun_id: str, viewer: User, now: datetime) -> RerunOut:
    """Return a rerun, with who would move if it were applied now. Raises NotFound unless all of it is the viewer's."""
    rerun = reruns.get(session, rerun_id, viewer)
    members = _members(session, rerun)
    beside = _shown_beside(session, rerun)
    fates = {one.id: _fate(one, beside.get((one.submission_id, one.split))) for one in members}
    boards = [] if rerun.decision else _boards(session, members, beside, fates, now)
    items = [_item(one, beside.get((one.submission_id, one.split)), *fates[one.id]) for one in members]
    return RerunOut(**_of(session, rerun_id).model_dump(), evaluations=items, boards=boards)


def _of(session: Session, rerun_id: str) -> RerunSummary:
    return _summary(session.execute(_COUNTED.where(Rerun.id == rerun_id)).one())


def _summary(row: Row[Rerun, int, int]) -> RerunSummary:
    rerun, total, ended = row
    return RerunSummary(
        id=rerun.id,
        state=_state(rerun, total, ended),
        reason=rerun.reason,
        actor=rerun.actor,
        at=rerun.created_at,
        total=total,
        ended=ended,
        decided_by=rerun.decided_by,
        decided_at=rerun.decided_at,
        links=Links(self=f"/api/v1/admin/reruns/{rerun.id}", html=f"/admin/reruns/{rerun.id}"),
    )


def _state(rerun: Rerun, total: int, ended: int) -> State:
    if rerun.decision is not None:
        return "applied" if rerun.decision == "applied" else "dropped"
    return "ready" if ended == total else "running"


_READ = (
    joinedload(Evaluation.submission).joinedload(Submission.user),
    joinedload(Evaluation.submission).joinedload(Submission.competition).defer(Competition.pages),
    joinedload(Evaluation.reference),
    joinedload(Evaluation.score).options(load_only(Score.score, Score.calibrated_score)),
)


def _members(session: Session, rerun: Rerun) -> Sequence[Evaluation]:
    query = select(Evaluation).where(Evaluation.rerun_id == rerun.id).options(*_READ)
    return session.scalars(query.order_by(Evaluation.created_at, Evaluation.id)).all()


def _shown_beside(session: Session, rerun: Rerun) -> dict[tuple[str, str], Evaluation]:
    """Return what is shown, or was scored last before the rerun was applied, by submission and split."""
    pairs = select(Evaluation.submission_id, Evaluation.split).where(Evaluation.rerun_id == rerun.id)
    before = Evaluation.verdict == Verdict.SCORED, Evaluation.created_at <= rerun.created_at
    others = select(Evaluation).where(
        tuple_(Evaluation.submission_id, Evaluation.split).in_(pairs),
        or_(Evaluation.rerun_id.is_(None), Evaluation.rerun_id != rerun.id),
        and_(*before) if rerun.decision == "applied" else Evaluation.published,
    )
    found = session.scalars(others.options(*_READ).order_by(Evaluation.generation))
    return {(one.submission_id, one.split): one for one in found}


def _fate(one: Evaluation, shown: Evaluation | None) -> tuple[bool, str]:
    """Return whether an evaluation is shown, or would be, and why."""
    if one.status is not Status.DONE:
        return False, ""
    says_more = one.published or evaluations.says_more(one, shown)
    if says_more:
        return True, FIRST if shown is None else REPLACES
    return False, OLDER if one.verdict is Verdict.SCORED else WITHOUT_SCORE


def _item(one: Evaluation, shown: Evaluation | None, would_show: bool, why: str) -> RerunItemOut:  # noqa: FBT001 - a fate
    submission, publish = one.submission, publish_of(one)
    return RerunItemOut.rounded(
        publish,
        evaluation_id=one.id,
        submission_id=one.submission_id,
        name=submission.user.name,
        competition=submission.competition.slug,
        split=one.split,
        status=one.status,
        verdict=one.verdict,
        reason=one.reason,
        cancelling=one.cancel_requested and one.status is not Status.DONE,
        old_score=None if shown is None else ranked_score(shown),
        new_score=ranked_score(one),
        decimals=decimals_of(publish),
        shown=would_show,
        why=why,
    )


def _boards(
    session: Session,
    members: Sequence[Evaluation],
    beside: dict[tuple[str, str], Evaluation],
    fates: dict[str, tuple[bool, str]],
    now: datetime,
) -> list[BoardMovesOut]:
    """Return who would move on each board that a rerun concerns."""
    new = [one for one in members if fates[one.id][0]]
    old = [beside[pair].id for one in new if (pair := (one.submission_id, one.split)) in beside]
    instead = or_(
        and_(Evaluation.published, Evaluation.id.not_in(old)), Evaluation.id.in_([one.id for one in new])
    )
    found = []
    for competition, split in sorted(
        {(one.submission.competition, one.split) for one in members}, key=_place
    ):
        publish = registry.config_of(competition).publish
        before = standings(leaderboard.board(session, competition, now, split), publish)
        after = standings(leaderboard.board(session, competition, now, split, instead), publish)
        changed = [move for move in moves(before, after) if move.is_change]
        found.append(
            BoardMovesOut(
                competition=competition.slug,
                split=split,
                decimals=decimals_of(publish),
                entrants=len(before.keys() | after.keys()),
                moves=[
                    MoveOut(name=one.participant, old=_standing(one.old), new=_standing(one.new))
                    for one in changed
                ],
            )
        )
    return found


def _place(one: tuple[Competition, str]) -> tuple[str, str]:
    return one[0].slug, one[1]


def _standing(one: Standing | None) -> StandingOut | None:
    return (
        None if one is None else StandingOut(rank=one.place, score=one.score, submission_id=one.submission_id)
    )
