"""Who takes part in a competition, by name."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import registry
from app.errors import NotFound
from app.models import Competition, User


def find(session: Session, slug: str, name: str) -> tuple[Competition, User]:
    """Return a competition and somebody who takes part or may. Raises NotFound."""
    competition = registry.get_competition(session, slug)
    user = session.scalar(select(User).where(User.name == name))
    if user is None:
        raise NotFound(f"There is nobody called {name[:64]!r}.")
    return competition, user
