"""Making an account for oneself: as LETHE_REGISTRATION says, by an invitation or freely."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from app import accounts, auth, invitations
from app.context import Context
from app.db import read_only, unit_of_work
from app.errors import Forbidden
from app.models import Invitation, User

CLOSED = "Accounts are not made here."
ADVICE = "Ask the organiser for one."


@dataclass(frozen=True)
class Wanted:
    """What somebody fills in."""

    name: str
    password: str
    email: str
    invitation: str


def invitation_of(engine: Engine, secret: str, now: datetime) -> Invitation | None:
    """Return the invitation that somebody comes with, if they come with any. Raises NotFound for one that is not good."""
    if not secret:
        return None
    with read_only(engine) as session:
        found = invitations.find(session, secret, now)
        session.expunge(found)
        return found


def check_open(context: Context, invitation: Invitation | None) -> None:
    """Raise Forbidden unless whoever holds this invitation, or none, may make an account."""
    allowed = context.settings.registration
    if allowed == "closed":
        raise Forbidden(CLOSED, advice=ADVICE)
    if allowed == "invitation" and invitation is None:
        raise Forbidden("An account here needs an invitation.", advice="Open the link that you were sent.")


def register(context: Context, wanted: Wanted, now: datetime) -> User:
    """Make the account. Raises Forbidden, NotFound, BadRequest, Conflict or Busy; then there is none, and no link is used."""
    invitation = invitation_of(context.engine, wanted.invitation, now)
    check_open(context, invitation)
    auth.check_name(wanted.name)
    email = accounts.checked_email(wanted.email)
    hashed = auth.hash_password(wanted.password)  # before the transaction: it takes its time
    role = "participant" if invitation is None else invitation.role
    with unit_of_work(context.engine) as session:
        user = auth.insert_user(session, wanted.name, hashed, role, now, email=email)
        if invitation is not None:
            invitations.use(session, invitation, user, now)
        return user
