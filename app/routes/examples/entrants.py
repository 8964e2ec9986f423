"""Examples of entrants for the OpenAPI document."""

from typing import Any

from app.routes.answers import Words
from app.routes.examples.common import QUOTA, SUBMISSION

DISQUALIFIED = {
    "reason": "The bundle carries the answers of another team.",
    "at": "2026-03-01T14:00:00Z",
    "everything": False,
}
_LINKS = {
    "self": "/api/v1/admin/competitions/digits/entrants/ada",
    "html": "/admin/competitions/digits/entrants/ada",
}
ENTRANT: dict[str, Any] = {
    "competition": "digits",
    "name": "ada",
    "team": None,
    "submissions": 4,
    "last_at": "2026-03-01T12:00:00Z",
    "quota": QUOTA,
    "adjustments": QUOTA["adjustments"],
    "disqualified": None,
    "decisions": [
        {
            "submission_id": SUBMISSION["id"],
            "reason": DISQUALIFIED["reason"],
            "actor": "root",
            "at": DISQUALIFIED["at"],
            "lifted_at": None,
            "lifted_by": None,
            "lifted_reason": None,
        }
    ],
    "links": _LINKS,
}
OUT: dict[str, Any] = ENTRANT | {
    "disqualified": {"reason": "Two accounts.", "at": "2026-03-01T15:00:00Z", "everything": True}
}
PAGE = {
    "items": [
        {
            **{key: ENTRANT[key] for key in ("competition", "name", "submissions", "last_at", "links")},
            "disqualified": False,
        }
    ],
    "next": None,
    "next_cursor": None,
}

ALREADY: Words = (
    "conflict",
    "Not possible in this state",
    "It is disqualified already.",
    "Reinstate it first to give another reason.",
)
NOTHING: Words = (
    "conflict",
    "Not possible in this state",
    "The submission is not disqualified: there is nothing to reinstate.",
    "",
)
NO_CHANGE: Words = (
    "bad_request",
    "The request cannot be understood",
    "An adjustment by 0 changes nothing.",
    "Give a number, or take one with a minus.",
)
