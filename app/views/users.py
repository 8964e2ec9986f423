"""What admins see of accounts and of invitations."""

from datetime import datetime
from urllib.parse import quote, urlencode

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from app import access, auth, cursors
from app.errors import NotFound
from app.models import Invitation, Token, User
from app.schemas.accounts import AccountOut, InvitationOut, InvitationPage, State, UserOut, UserPage
from app.schemas.submissions import Links
from app.text import has_control

PAGE_SIZE = 50
_SEEN = select(func.max(Token.seen_at)).where(Token.user_id == User.id).correlate(User).scalar_subquery()


def listing(session: Session, search: str, cursor: str) -> UserPage:
    """Return a page of accounts, newest first; `search` is a part of a name or an address.

    Raises BadRequest for a cursor that is not ours.
    """
    query = _accounts().order_by(User.created_at.desc(), User.id.desc()).limit(PAGE_SIZE + 1)
    if search:
        parts = (one.icontains(search, autoescape=True) for one in (User.name, User.email))
        query = query.where(or_(*parts))
    if cursor:
        at = cursors.decode(cursor)
        query = query.where(tuple_(User.created_at, User.id) < tuple_(at.created_at, at.id))
    rows = session.execute(query).all()
    items = [_user(user, seen) for user, seen in rows[:PAGE_SIZE]]
    if len(rows) <= PAGE_SIZE:
        return UserPage(items=items, next=None, next_cursor=None)
    last = rows[PAGE_SIZE - 1][0]
    after = cursors.encode(cursors.Position(last.created_at, last.id))
    chosen = {"search": search, "cursor": after} if search else {"cursor": after}
    return UserPage(items=items, next=f"/api/v1/admin/users?{urlencode(chosen)}", next_cursor=after)


def describe(session: Session, name: str) -> UserOut:
    """Return one account. Raises NotFound."""
    query = _accounts().where(User.name == name).execution_options(populate_existing=True)
    row = None if has_control(name) else session.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"There is no account named {name[:64]!r}.")
    return _user(*row)


def own(viewer: User) -> AccountOut:
    """Return what somebody is told of their own account."""
    return AccountOut(
        name=viewer.name,
        role=access.role_of(viewer),
        organises=sorted(access.organised(viewer)),
        email=viewer.email,
        created_at=viewer.created_at,
    )


def invitations(session: Session, cursor: str, now: datetime) -> InvitationPage:
    """Return a page of invitations, newest first. Raises BadRequest for a cursor that is not ours."""
    query = (
        select(Invitation)
        .options(joinedload(Invitation.user))
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if cursor:
        at = cursors.decode(cursor)
        query = query.where(tuple_(Invitation.created_at, Invitation.id) < tuple_(at.created_at, at.id))
    found = session.scalars(query).all()
    items = [invitation_out(one, now) for one in found[:PAGE_SIZE]]
    if len(found) <= PAGE_SIZE:
        return InvitationPage(items=items, next=None, next_cursor=None)
    after = cursors.encode(cursors.Position(items[-1].created_at, items[-1].id))
    following = f"/api/v1/admin/invitations?{urlencode({'cursor': after})}"
    return InvitationPage(items=items, next=following, next_cursor=after)


def invitation_out(one: Invitation, now: datetime) -> InvitationOut:
    """Return an invitation as the API answers it."""
    state: State = "expired" if one.expires_at <= now else "open"
    if one.revoked_at is not None:
        state = "revoked"
    if one.used_by is not None:
        state = "used"
    return InvitationOut(
        id=one.id,
        role="admin" if one.role == "admin" else "participant",
        label=one.label,
        email=one.email,
        state=state,
        made_by=one.made_by,
        used_by=None if one.user is None else one.user.name,
        created_at=one.created_at,
        expires_at=one.expires_at,
    )


def _accounts() -> Select[User, datetime | None]:
    return select(User, _SEEN).options(auth.WITH_GRANTS)


def _user(user: User, seen_at: datetime | None) -> UserOut:
    path = f"admin/users/{quote(user.name, safe='')}"
    return UserOut(
        name=user.name,
        role=access.role_of(user),
        organises=sorted(access.organised(user)),
        email=user.email,
        disabled_at=user.disabled_at,
        created_at=user.created_at,
        seen_at=seen_at,
        links=Links(self=f"/api/v1/{path}", html=f"/{path}"),
    )
