"""API v1 for teams: as whom one takes part in a competition."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from app import teams
from app.dependencies import Now, Person, Reading, Writing
from app.routes.answers import created, ok, problems
from app.routes.door import Slug
from app.routes.examples import teams as examples
from app.routes.security import SIGNED_IN
from app.schemas.teams import InviteIn, LeaderIn, TeamIn, TeamPageOut
from app.views.teams import describe

router = APIRouter(prefix="/api/v1", tags=["teams"], dependencies=SIGNED_IN)
TEAM = "/competitions/{slug}/team"
INVITATION = "/invitations/{invitation_id}"
InvitationId = Annotated[str, Path(description="the invitation's id")]


def _place(slug: str) -> str:
    return router.prefix + TEAM.format(slug=slug)


@router.get(TEAM, summary="Read my team", responses={200: ok("Now", examples.TEAM), **problems(401, 404)})
def read_team(slug: Slug, session: Reading, person: Person, now: Now) -> TeamPageOut:
    """Read your team in a competition, who is in it, and the invitations that you sent or may answer."""
    return describe(session, slug, person, now)


@router.post(
    TEAM,
    status_code=201,
    summary="Create a team",
    responses={
        201: created("Created", examples.TEAM),
        **problems(400, 401, 403, 404, 409, unsafe=True, s400=examples.BAD_NAME, s409=examples.TAKEN),
    },
)
def create_team(
    slug: Slug, wanted: TeamIn, response: Response, session: Writing, person: Person, now: Now
) -> TeamPageOut:
    """Create a team that you lead. What you have submitted in the competition becomes the team's."""
    teams.create(session, slug, wanted.name, person, now)
    response.headers["Location"] = _place(slug)
    return describe(session, slug, person, now)


@router.patch(
    TEAM,
    summary="Rename my team",
    responses={
        200: ok("Renamed", examples.TEAM),
        **problems(
            400,
            401,
            403,
            404,
            409,
            unsafe=True,
            s400=examples.BAD_NAME,
            s403=examples.NOT_LEADER,
            s404=examples.NO_TEAM,
            s409=examples.TAKEN,
        ),
    },
)
def rename_team(slug: Slug, wanted: TeamIn, session: Writing, person: Person, now: Now) -> TeamPageOut:
    """Give the team that you lead another name, until the competition closes."""
    teams.rename(session, slug, wanted.name, person, now)
    return describe(session, slug, person, now)


@router.post(
    TEAM + "/hand-over",
    summary="Hand my team over",
    responses={
        200: ok("Handed over", examples.HANDED_OVER),
        **problems(
            401,
            403,
            404,
            409,
            unsafe=True,
            s403=examples.NOT_LEADER,
            s404=examples.NO_MEMBER,
            s409=examples.LEADS_ALREADY,
        ),
    },
)
def hand_team_over(slug: Slug, wanted: LeaderIn, session: Writing, person: Person, now: Now) -> TeamPageOut:
    """Let another member lead the team that you lead, until the competition closes."""
    teams.hand_over(session, slug, wanted.name, person, now)
    return describe(session, slug, person, now)


@router.post(
    TEAM + "/leave",
    summary="Leave my team",
    responses={
        200: ok("Left", examples.ALONE),
        **problems(401, 403, 404, 409, unsafe=True, s404=examples.NO_TEAM),
    },
)
def leave_team(slug: Slug, session: Writing, person: Person, now: Now) -> TeamPageOut:
    """Leave a team that has no submissions yet, or dissolve one that is yours alone.

    Where the leader leaves, whoever joined first leads on.
    """
    teams.leave(session, slug, person, now)
    return describe(session, slug, person, now)


@router.post(
    TEAM + "/invitations",
    status_code=201,
    summary="Invite a person or a team",
    responses={
        201: created("Invited", examples.TEAM),
        **problems(401, 403, 404, 409, unsafe=True, s403=examples.NOT_LEADER, s409=examples.TOO_LATE),
    },
)
def invite_to_team(
    slug: Slug, wanted: InviteIn, response: Response, session: Writing, person: Person, now: Now
) -> TeamPageOut:
    """Invite somebody into the team that you lead, or another team to merge into it. They accept or decline.

    The team that invites keeps its name and its leader. All that those who join have submitted becomes the team's.
    """
    inviting = teams.invite if wanted.kind == "person" else teams.invite_team
    inviting(session, slug, wanted.name, person, now)
    response.headers["Location"] = _place(slug)
    return describe(session, slug, person, now)


@router.post(
    INVITATION + "/accept",
    summary="Accept an invitation",
    responses={
        200: ok("Joined", examples.TEAM),
        **problems(401, 403, 404, 409, unsafe=True, s404=examples.NO_INVITATION, s409=examples.TOO_LATE),
    },
)
def accept_invitation(invitation_id: InvitationId, session: Writing, person: Person, now: Now) -> TeamPageOut:
    """Join the team that invites you; or merge the team that you lead into the one that asks.

    Together you may not be more people than a team has, nor have submitted more than one entrant could have by today.
    """
    team = teams.accept(session, invitation_id, person, now)
    return describe(session, team.competition.slug, person, now)


@router.post(
    INVITATION + "/decline",
    summary="Decline an invitation",
    responses={
        200: ok("Declined", examples.ALONE | {"invitations": []}),
        **problems(401, 403, 404, 409, unsafe=True, s404=examples.NO_INVITATION),
    },
)
def decline_invitation(
    invitation_id: InvitationId, session: Writing, person: Person, now: Now
) -> TeamPageOut:
    """Refuse an invitation to you, or to the team that you lead."""
    competition = teams.decline(session, invitation_id, person, now)
    return describe(session, competition.slug, person, now)


@router.post(
    INVITATION + "/withdraw",
    summary="Withdraw an invitation",
    responses={
        200: ok("Withdrawn", examples.TEAM),
        **problems(
            401,
            403,
            404,
            409,
            unsafe=True,
            s403=examples.NOT_LEADER,
            s404=examples.NO_INVITATION,
        ),
    },
)
def withdraw_invitation(
    invitation_id: InvitationId, session: Writing, person: Person, now: Now
) -> TeamPageOut:
    """Take back an invitation of the team that you lead."""
    competition = teams.withdraw(session, invitation_id, person, now)
    return describe(session, competition.slug, person, now)
