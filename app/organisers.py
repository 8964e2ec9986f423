"""Who organises which competition: admins grant it and take it back."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import accounts, events, registry
from app.models import CompetitionOrganiser, User


def grant(session: Session, slug: str, name: str, actor: str, now: datetime) -> None:
    """Make a person organiser of a competition; one who is that already stays it. Raises NotFound."""
    user, competition = accounts.by_name(session, name), registry.get_competition(session, slug)
    row = CompetitionOrganiser(user_id=user.id, competition_id=competition.id, created_at=now)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return
    events.write(session, "user.organiser_granted", actor, now, detail=f"{user.name}: {slug}")


def withdraw(session: Session, slug: str, name: str, actor: str, now: datetime) -> None:
    """Take it back; a person who is no organiser there stays none. Raises NotFound."""
    user, competition = accounts.by_name(session, name), registry.get_competition(session, slug)
    row = session.get(CompetitionOrganiser, (user.id, competition.id))
    if row is None:
        return
    session.delete(row)
    events.write(session, "user.organiser_withdrawn", actor, now, detail=f"{user.name}: {slug}")


def names(session: Session, slug: str) -> list[str]:
    """Return who organises a competition, by name. Raises NotFound."""
    competition = registry.get_competition(session, slug)
    query = (
        select(User.name)
        .join(CompetitionOrganiser, CompetitionOrganiser.user_id == User.id)
        .where(CompetitionOrganiser.competition_id == competition.id)
        .order_by(User.name)
    )
    return list(session.scalars(query))
