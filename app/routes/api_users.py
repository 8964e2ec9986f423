"""API v1: one's own account; and, for admins, everybody's accounts and invitations."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app import accounts, invitations, links, resets
from app.dependencies import Admin, Ctx, Now, Person, Reading, Writing
from app.routes.answers import created, ok, problems
from app.routes.examples import accounts as examples
from app.routes.security import SIGNED_IN
from app.schemas.accounts import (
    AccountOut,
    InvitationIn,
    InvitationMade,
    InvitationOut,
    InvitationPage,
    LinkOut,
    UserIn,
    UserOut,
    UserPage,
)
from app.text import PlainText
from app.views import users

router = APIRouter(prefix="/api/v1", dependencies=SIGNED_IN)
LinkId = Annotated[str, Path(description="the invitation's id")]
Name = Annotated[str, Path(description="the account's name")]


@router.get(
    "/account",
    tags=["account"],
    summary="Read your own account",
    responses={200: ok("Who the token's holder is", examples.ACCOUNT), **problems(401)},
)
def own_account(person: Person) -> AccountOut:
    """Read whose token it is. An account is managed on its page alone: a token must not be able to make another."""
    return users.own(person)


@router.get(
    "/admin/users",
    tags=["people"],
    summary="List accounts",
    responses={200: ok("One page", examples.USERS), **problems(400, 401, 403)},
)
def list_accounts(
    session: Reading,
    _admin: Admin,
    search: Annotated[PlainText, Query(max_length=100, description="a part of a name or an address")] = "",
    cursor: Annotated[str, Query(max_length=200, description="from `next_cursor`")] = "",
) -> UserPage:
    """List accounts, newest first; follow `next` for more."""
    return users.listing(session, search, cursor)


@router.get(
    "/admin/users/{name}",
    tags=["people"],
    summary="Read an account",
    responses={200: ok("The account", examples.USER), **problems(401, 403, 404, s404=examples.NOBODY)},
)
def read_account(name: Name, session: Reading, _admin: Admin) -> UserOut:
    """Read one account."""
    return users.describe(session, name)


@router.patch(
    "/admin/users/{name}",
    tags=["people"],
    summary="Change a role, disable or enable",
    responses={
        200: ok("The account now", examples.USER),
        **problems(401, 403, 404, 409, unsafe=True, s404=examples.NOBODY, s409=examples.ONESELF),
    },
)
def change_account(name: Name, wanted: UserIn, session: Writing, admin: Admin, now: Now) -> UserOut:
    """Change what somebody is. It holds from their next request on; nobody can do it to themselves."""
    if wanted.role is not None:
        accounts.set_role(session, name, wanted.role, admin.name, now)
    if wanted.disabled is not None:
        act = accounts.disable if wanted.disabled else accounts.enable
        act(session, name, admin.name, now)
    session.flush()
    return users.describe(session, name)


@router.post(
    "/admin/users/{name}/reset-link",
    tags=["people"],
    summary="Make a link for a new password",
    responses={
        200: ok("Give it to its owner", examples.LINK),
        **problems(401, 403, 404, unsafe=True, s404=examples.NOBODY),
    },
)
def make_reset_link(name: Name, context: Ctx, session: Writing, admin: Admin, now: Now) -> LinkOut:
    """Make a link by which the account's owner chooses a new password: once, within 24 hours."""
    secret = resets.issue(session, accounts.by_name(session, name), admin.name, now)
    return LinkOut(link=links.reset(context.settings, secret), expires_at=now + resets.LIFETIME)


@router.get(
    "/admin/invitations",
    tags=["people"],
    summary="List invitations",
    responses={200: ok("One page", examples.INVITATIONS), **problems(400, 401, 403)},
)
def list_account_invitations(
    session: Reading,
    _admin: Admin,
    now: Now,
    cursor: Annotated[str, Query(max_length=200, description="from `next_cursor`")] = "",
) -> InvitationPage:
    """List invitations, newest first, whatever became of them. Their links are not kept."""
    return users.invitations(session, cursor, now)


@router.get(
    "/admin/invitations/{link_id}",
    tags=["people"],
    summary="Read an invitation",
    responses={
        200: ok("What became of it", examples.INVITATION),
        **problems(401, 403, 404, s404=examples.NO_INVITATION),
    },
)
def read_account_invitation(link_id: LinkId, session: Reading, _admin: Admin, now: Now) -> InvitationOut:
    """Read one invitation. Its link is not kept."""
    return users.invitation_out(invitations.get(session, link_id), now)


@router.post(
    "/admin/invitations",
    tags=["people"],
    status_code=201,
    summary="Invite somebody",
    responses={201: created("Send them the link", examples.INVITED), **problems(400, 401, 403, unsafe=True)},
)
def invite_to_register(
    wanted: InvitationIn, response: Response, context: Ctx, session: Writing, admin: Admin, now: Now
) -> InvitationMade:
    """Make a link by which one person makes an account. It needs LETHE_REGISTRATION to be `invitation` or `open`."""
    made, secret = invitations.make(
        session, wanted.role, wanted.label, wanted.email, wanted.days, admin.name, now
    )
    response.headers["Location"] = f"{router.prefix}/admin/invitations/{made.id}"
    shown = users.invitation_out(made, now).model_dump()
    return InvitationMade(**shown, link=links.invitation(context.settings, secret))


@router.delete(
    "/admin/invitations/{link_id}",
    tags=["people"],
    summary="Take an invitation back",
    status_code=204,
    responses={
        204: {"description": "Its link is good for nothing now"},
        **problems(401, 403, 404, 409, unsafe=True, s404=examples.NO_INVITATION, s409=examples.SPENT),
    },
)
def revoke_account_invitation(link_id: LinkId, session: Writing, admin: Admin, now: Now) -> Response:
    """Make a link worthless that nobody has used yet."""
    invitations.revoke(session, link_id, admin.name, now)
    return Response(status_code=204)
