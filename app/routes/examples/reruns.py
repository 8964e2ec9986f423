"""Examples of reruns for the OpenAPI document."""

from typing import Any

from app.routes.answers import Words
from app.routes.examples.common import SUBMISSION

_ID = "4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b"
_OTHER = "1c2d3e4f5a6b4c7d8e9f0a1b2c3d4e5f"
SUMMARY: dict[str, Any] = {
    "id": _ID,
    "state": "ready",
    "reason": "a driver gave wrong numbers on gpu-7",
    "actor": "root",
    "at": "2026-03-01T13:00:00Z",
    "total": 1,
    "ended": 1,
    "decided_by": None,
    "decided_at": None,
    "links": {"self": f"/api/v1/admin/reruns/{_ID}", "html": f"/admin/reruns/{_ID}"},
}
MADE: dict[str, Any] = SUMMARY | {"state": "running", "ended": 0, "left_out": []}
RERUN: dict[str, Any] = SUMMARY | {
    "evaluations": [
        {
            "evaluation_id": _OTHER,
            "submission_id": SUBMISSION["id"],
            "name": "ada",
            "competition": "digits",
            "split": "public",
            "status": "done",
            "verdict": "scored",
            "reason": None,
            "cancelling": False,
            "old_score": 0.0712,
            "new_score": 0.0801,
            "decimals": {"score": 4, "seconds": 2},
            "shown": True,
            "why": "takes the place of what is shown",
        }
    ],
    "boards": [
        {
            "competition": "digits",
            "split": "public",
            "decimals": {"score": 4, "seconds": 2},
            "entrants": 12,
            "moves": [
                {
                    "name": "ada",
                    "old": {"rank": 2, "score": 0.0712, "submission_id": SUBMISSION["id"]},
                    "new": {"rank": 1, "score": 0.0801, "submission_id": SUBMISSION["id"]},
                }
            ],
        }
    ],
}
_DECIDED = {"decided_by": "root", "decided_at": "2026-03-01T15:00:00Z", "boards": []}
APPLIED: dict[str, Any] = RERUN | {"state": "applied", **_DECIDED}
DROPPED: dict[str, Any] = RERUN | {"state": "dropped", **_DECIDED}
PAGE = {"items": [SUMMARY], "next": None, "next_cursor": None}

STILL: Words = (
    "conflict",
    "Not possible in this state",
    "3 of its evaluations are still under way.",
    "Wait for them, or cancel them.",
)
DECIDED: Words = ("conflict", "Not possible in this state", "It was applied already, by root.", "")
NONE: Words = (
    "conflict",
    "Not possible in this state",
    "None of these can be graded again now. An evaluation of it is under way, or waits for a decision.",
    "",
)
EMPTY: Words = (
    "bad_request",
    "The request cannot be understood",
    "Nothing is chosen.",
    "Choose at least one evaluation.",
)
UNKNOWN: Words = ("not_found", "Not found", "There is no such rerun.", "")
