"""Links by which one person each may make an account. A link's secret is shown once; only its SHA-256 is kept."""

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import accounts, auth, events
from app.errors import BadRequest, Conflict, NotFound
from app.evaluations.locks import changed
from app.models import Invitation, User
from app.text import has_control

MOST_DAYS = 90
NOT_GOOD = "This invitation is not good, or not any more: it was used, taken back, or has expired."
ASK = "Ask whoever invited you for a new link."


def make(
    session: Session, role: str, label: str, email: str, days: int, actor: str, now: datetime
) -> tuple[Invitation, str]:
    """Insert an invitation; return it and its secret, which cannot be had again. Raises BadRequest."""
    auth.check_role(role)
    if not 1 <= days <= MOST_DAYS:
        raise BadRequest(f"An invitation lasts 1 to {MOST_DAYS} days.")
    secret = auth.new_secret()
    invitation = Invitation(
        id=uuid4().hex,
        digest=auth.digest_of(secret),
        role=role,
        label=label.strip(),
        email=accounts.checked_email(email),
        made_by=actor,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    session.add(invitation)
    events.write(session, "user.invited", actor, now, detail=f"{role}: {label.strip() or invitation.id[:8]}")
    return invitation, secret


def find(session: Session, secret: str, now: datetime) -> Invitation:
    """Return the invitation of a secret while it is good. Raises NotFound."""
    found = session.scalar(select(Invitation).where(Invitation.digest == auth.digest_of(secret)))
    if found is None or found.used_by or found.revoked_at or found.expires_at <= now:
        raise NotFound(NOT_GOOD, advice=ASK)
    return found


def use(session: Session, invitation: Invitation, user: User, now: datetime) -> None:
    """Let a new account use it up. Raises Conflict when another was quicker."""
    taking = update(Invitation).where(
        Invitation.id == invitation.id, Invitation.used_by.is_(None), Invitation.revoked_at.is_(None)
    )
    if not changed(session, taking.values(used_by=user.id)):
        raise Conflict(NOT_GOOD, advice=ASK)
    events.write(session, "user.joined", user.name, now, detail=f"invited by {invitation.made_by}")


def revoke(session: Session, invitation_id: str, actor: str, now: datetime) -> None:
    """Make a link worthless. Raises NotFound, and Conflict when it was used or taken back before."""
    get(session, invitation_id)
    taking = update(Invitation).where(
        Invitation.id == invitation_id, Invitation.used_by.is_(None), Invitation.revoked_at.is_(None)
    )
    if not changed(session, taking.values(revoked_at=now)):
        raise Conflict("This invitation was used or taken back before.")
    events.write(session, "user.invitation_revoked", actor, now, detail=invitation_id)


def get(session: Session, invitation_id: str) -> Invitation:
    """Return an invitation, whatever became of it. Raises NotFound."""
    found = None if has_control(invitation_id) else session.get(Invitation, invitation_id)
    if found is None:
        raise NotFound("There is no such invitation.")
    return found
