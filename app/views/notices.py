"""What pages and API show a person of their notices."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Competition, Evaluation, Notice, User
from app.notices import account
from app.schemas.notices import NoticeOut, NoticesOut, WebhookOut


def describe(session: Session, viewer: User) -> NoticesOut:
    """Return how the viewer is told, and what they were told lately."""
    hook, found = account.webhook_of(session, viewer), account.deliveries(session, viewer)
    ids = [one.evaluation_id for one in found if one.evaluation_id is not None]
    query = select(Evaluation.id, Evaluation.submission_id).where(Evaluation.id.in_(ids))
    submissions = dict(session.execute(query).all())
    revealed = [one.competition_id for one in found if one.competition_id is not None]
    slugs = dict(
        session.execute(select(Competition.id, Competition.slug).where(Competition.id.in_(revealed))).all()
    )
    letters = session.scalars(select(User.mail_notices).where(User.id == viewer.id)).one()
    return NoticesOut(
        email=viewer.email,
        letters=letters,
        webhook=None if hook is None else WebhookOut(url=hook.url, created_at=hook.created_at),
        items=[
            _notice(one, submissions.get(one.evaluation_id or ""), slugs.get(one.competition_id or ""))
            for one in found
        ],
    )


def _notice(one: Notice, submission_id: str | None, competition: str | None) -> NoticeOut:
    over = "delivered" if one.delivered_at is not None else "given_up"
    return NoticeOut.model_validate(
        {
            "id": one.id,
            "kind": one.kind,
            "channel": one.channel,
            "state": "waiting" if one.due_at is not None else over,
            "submission_id": submission_id,
            "competition": competition,
            "created_at": one.created_at,
            "attempts": one.attempts,
            "tried_at": one.tried_at,
            "next_at": one.due_at,
            "outcome": one.outcome,
        }
    )
