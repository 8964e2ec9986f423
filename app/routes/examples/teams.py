"""Examples of teams for the OpenAPI document."""

from typing import Any

from app.routes.answers import Words

_ID = "4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c"
INVITATION: dict[str, Any] = {
    "id": "5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d",
    "team": "The sieve",
    "members": ["ada", "grace"],
    "kind": "person",
    "invited": "barbara",
    "created_at": "2026-03-01T12:00:00Z",
    "may_answer": False,
}
TEAM: dict[str, Any] = {
    "competition": "digits",
    "max_size": 5,
    "forms_until": "2026-05-25T00:00:00Z",
    "forming": True,
    "team": {
        "id": _ID,
        "name": "The sieve",
        "leader": "ada",
        "members": [
            {"name": "ada", "leader": True, "joined_at": "2026-02-01T09:00:00Z", "submissions": 3},
            {"name": "grace", "leader": False, "joined_at": "2026-02-02T10:30:00Z", "submissions": 1},
        ],
        "submissions": 4,
        "may_lead": True,
        "may_leave": False,
        "invitations": [INVITATION],
    },
    "invitations": [],
    "links": {"self": "/api/v1/competitions/digits/team", "html": "/competitions/digits/team"},
}
_MEMBERS = [one | {"leader": one["name"] == "grace"} for one in TEAM["team"]["members"]]
HANDED_OVER: dict[str, Any] = TEAM | {
    "team": TEAM["team"] | {"leader": "grace", "members": _MEMBERS, "may_lead": False}
}
ALONE: dict[str, Any] = TEAM | {"team": None, "invitations": [INVITATION | {"may_answer": True}]}

TAKEN: Words = (
    "conflict",
    "Not possible in this state",
    "There is a team named The sieve already.",
    "Choose another name.",
)
TOO_LATE: Words = (
    "conflict",
    "Not possible in this state",
    "Teams could form and merge until 2026-05-25 00:00 UTC.",
    "Teams stay as they are now.",
)
LEADS_ALREADY: Words = (
    "conflict",
    "Not possible in this state",
    "You lead the team already.",
    "Name another member.",
)
NO_MEMBER: Words = (
    "not_found",
    "Not found",
    "There is nobody named 'Grace' in the team.",
    "Check the name: case counts.",
)
NOT_LEADER: Words = (
    "forbidden",
    "You may not do this",
    "Only the leader of the team may do this.",
    "Ask the leader.",
)
NO_INVITATION: Words = (
    "not_found",
    "Not found",
    "There is no such invitation, or it is not yours to see: it may have been answered or withdrawn.",
    "",
)
NO_TEAM: Words = ("not_found", "Not found", "You are in no team of this competition.", "Create one first.")
BAD_NAME: Words = (
    "bad_request",
    "The request cannot be understood",
    "A team's name has 1 to 40 characters.",
    "Choose a shorter name.",
)
