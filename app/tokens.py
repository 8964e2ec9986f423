"""A person's own API tokens, as they manage them."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import events
from app.errors import NotFound
from app.models import Token, User


def listing(session: Session, viewer: User, now: datetime) -> list[Token]:
    """Return the viewer's API tokens that are still valid, newest first; the secrets themselves are not kept."""
    query = (
        select(Token).where(Token.user_id == viewer.id, Token.kind == "api").order_by(Token.created_at.desc())
    )
    return [token for token in session.scalars(query) if token.expires_at is None or token.expires_at > now]


def revoke(session: Session, viewer: User, token_id: str, now: datetime) -> None:
    """Delete one of the viewer's own API tokens. Raises NotFound."""
    token = session.get(Token, token_id)
    if token is None or token.user_id != viewer.id or token.kind != "api":
        raise NotFound("There is no such token.")
    session.delete(token)
    events.write(session, "token.revoked", viewer.name, now, detail=f"{token.kind}: {token.label}")
