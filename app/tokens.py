"""A person's own sessions and API tokens, as they manage them."""

from datetime import datetime
from typing import TypedDict

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import auth, events
from app.auth import Kind
from app.errors import NotFound
from app.evaluations.locks import changed
from app.models import Token, User


def listing(session: Session, viewer: User, kind: Kind, now: datetime) -> list[Token]:
    """Return the viewer's sessions or API tokens that are still valid, newest first; the secrets themselves are not kept."""
    query = (
        select(Token).where(Token.user_id == viewer.id, Token.kind == kind).order_by(Token.created_at.desc())
    )
    return [token for token in session.scalars(query) if token.expires_at is None or token.expires_at > now]


def revoke(session: Session, viewer: User, token_id: str, now: datetime) -> None:
    """Delete one of the viewer's own sessions or API tokens. Raises NotFound."""
    token = session.get(Token, token_id)
    if token is None or token.user_id != viewer.id:
        raise NotFound("There is no such token.")
    session.delete(token)
    events.write(session, "token.revoked", viewer.name, now, detail=f"{token.kind}: {token.label}")


def end_others(session: Session, viewer: User, kept: str, now: datetime) -> int:
    """End all of the viewer's sessions but that of this secret; return how many there were."""
    others = (Token.user_id == viewer.id, Token.kind == "session", Token.digest != auth.digest_of(kept))
    count = changed(session, delete(Token).where(*others))
    if count:
        events.write(session, "token.revoked", viewer.name, now, detail=f"session: {count} others")
    return count


def seen(session: Session, token_id: str, now: datetime) -> None:
    """Write down when a token was last in use."""
    session.execute(update(Token).where(Token.id == token_id).values(seen_at=now))


class Overview(TypedDict):
    """What a person holds, and which of the sessions they look at it in."""

    tokens: list[Token]
    sessions: list[Token]
    this_session: str


def overview(session: Session, viewer: User, own: str, now: datetime) -> Overview:
    """Return the viewer's live sessions and API tokens; `own` is the secret of the session that asks."""
    sessions = listing(session, viewer, "session", now)
    this = next((one.id for one in sessions if one.digest == auth.digest_of(own)), "")
    return {"tokens": listing(session, viewer, "api", now), "sessions": sessions, "this_session": this}
