"""What admins and organisers see of entrants: how much they sent, their quota, and what was decided about them."""

from datetime import datetime
from urllib.parse import quote as quoted
from urllib.parse import urlencode

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from app import access, disqualification, entrants, quota
from app.models import Competition, Disqualification, Submission, User
from app.schemas.entrants import DecisionOut, EntrantOut, EntrantPage, EntrantSummary
from app.schemas.submissions import Links
from app.views.competitions import adjustment_out, disqualified_out, quota_out

PAGE_SIZE = 50


def listing(session: Session, viewer: User, competition: str, name: str, after: str) -> EntrantPage:
    """Return a page of those who have submitted to what the viewer organises; `name` is a part of theirs."""
    query = (
        select(
            Competition.slug,
            User.name,
            func.count(Submission.id),
            func.max(Submission.created_at),
            Competition.id,
            User.id,
        )
        .join(Submission, Submission.competition_id == Competition.id)
        .join(User, User.id == Submission.user_id)
        .group_by(Competition.id, Competition.slug, User.id, User.name)
        .order_by(Competition.slug, User.name)
        .limit(PAGE_SIZE + 1)
    )
    reach = access.reach(viewer)
    if reach is not None:
        query = query.where(Competition.slug.in_(reach))
    if competition:
        query = query.where(Competition.slug == competition)
    if name:
        query = query.where(User.name.contains(name, autoescape=True))
    if after:
        slug, _, last = after.partition("/")
        query = query.where(tuple_(Competition.slug, User.name) > tuple_(slug, last))
    rows = session.execute(query).all()
    out = disqualification.everybody_out(session)
    items = [_summary(*row[:4], disqualified=tuple(row[4:]) in out) for row in rows[:PAGE_SIZE]]
    if len(rows) <= PAGE_SIZE:
        return EntrantPage(items=items, next=None, next_cursor=None)
    cursor = f"{items[-1].competition}/{items[-1].name}"
    chosen = {"competition": competition, "name": name, "cursor": cursor}
    query_string = urlencode({key: value for key, value in chosen.items() if value})
    return EntrantPage(items=items, next=f"/api/v1/admin/entrants?{query_string}", next_cursor=cursor)


def _summary(
    slug: str, name: str, submissions: int, last_at: datetime, *, disqualified: bool
) -> EntrantSummary:
    return EntrantSummary(
        competition=slug,
        name=name,
        submissions=submissions,
        last_at=last_at,
        disqualified=disqualified,
        links=links_of(slug, name),
    )


def links_of(slug: str, name: str) -> Links:
    """Return where an entrant is."""
    path = f"competitions/{slug}/entrants/{quoted(name, safe='')}"
    return Links(self=f"/api/v1/admin/{path}", html=f"/admin/{path}")


def describe(session: Session, slug: str, name: str, now: datetime) -> EntrantOut:
    """Return an entrant. Raises NotFound."""
    competition, user = entrants.find(session, slug, name)
    sent = select(func.count(Submission.id), func.max(Submission.created_at)).where(
        Submission.competition_id == competition.id,
        entrants.is_with(Submission.user_id, user.id, competition.id),
    )
    count, last_at = session.execute(sent).one()
    entrant = entrants.of(session, user.id, competition.id)
    decided = disqualification.history(session, competition.id, user.id)
    return EntrantOut(
        competition=slug,
        name=user.name,
        team=entrant.name if entrant.kind == "team" else None,
        submissions=count,
        last_at=last_at,
        quota=quota_out(session, user, competition, now),
        adjustments=[
            adjustment_out(one) for one in quota.adjustments(session, user.id, competition, now, ahead=True)
        ],
        disqualified=disqualified_out(disqualification.of_entrant(session, competition.id, user.id)),
        decisions=[_decision(one) for one in decided],
        links=links_of(slug, user.name),
    )


def _decision(one: Disqualification) -> DecisionOut:
    return DecisionOut(
        submission_id=one.submission_id,
        reason=one.reason,
        actor=one.actor,
        at=one.created_at,
        lifted_at=one.lifted_at,
        lifted_by=one.lifted_by,
        lifted_reason=one.lifted_reason,
    )
