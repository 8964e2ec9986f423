"""Examples of accounts and invitations for the OpenAPI document."""

from typing import Any

ACCOUNT: dict[str, Any] = {
    "name": "grace",
    "role": "organiser",
    "organises": ["digits"],
    "email": "grace@example.org",
    "created_at": "2026-02-01T09:00:00Z",
}
USER = ACCOUNT | {
    "disabled_at": None,
    "seen_at": "2026-03-01T11:00:00Z",
    "links": {"self": "/api/v1/admin/users/grace", "html": "/admin/users/grace"},
}
USERS = {"items": [USER], "next": None, "next_cursor": None}
LINK = {
    "link": "https://lethe.example.org/reset?link=lethe_0aB1...",
    "expires_at": "2026-03-02T12:00:00Z",
}
INVITATION = {
    "id": "5c0d8e1f2a3b4c5d6e7f8091a2b3c4d5",
    "role": "participant",
    "label": "team of the first row",
    "email": "ada@example.org",
    "state": "open",
    "made_by": "root",
    "used_by": None,
    "created_at": "2026-03-01T12:00:00Z",
    "expires_at": "2026-03-08T12:00:00Z",
}
INVITATIONS = {"items": [INVITATION], "next": None, "next_cursor": None}
INVITED = INVITATION | {"link": "https://lethe.example.org/register?invitation=lethe_0aB1..."}
NOBODY = ("not_found", "Not found", "There is no account named 'nobody'.", "")
ONESELF = (
    "conflict",
    "Not possible in this state",
    "This is your own account.",
    "Ask another admin, or an operator.",
)
NO_INVITATION = ("not_found", "Not found", "There is no such invitation.", "")
SPENT = ("conflict", "Not possible in this state", "This invitation was used or taken back before.", "")
