"""Examples of final entries and closes for the OpenAPI document."""

from typing import Any

from app.routes.answers import Words
from app.routes.examples.common import SUBMISSION
from app.views.finals import rule_of

_CANDIDATE: dict[str, Any] = {
    "submission_id": SUBMISSION["id"],
    "user": "ada",
    "note": "gradient ascent, then fine-tune",
    "created_at": "2026-03-01T11:00:00Z",
    "status": "done",
    "verdict": "scored",
    "score": 0.0712,
    "state": "chosen",
    "automatic": False,
    "evaluation": None,
    "private_verdict": None,
    "private_score": None,
    "links": SUBMISSION["links"],
}
FINALS = {
    "competition": "digits",
    "phase": "open",
    "closes_at": "2026-06-01T00:00:00Z",
    "locked": False,
    "places": 2,
    "rule": rule_of(2),
    "decimals": {"score": 4, "seconds": 2},
    "ranked_by": "official",
    "entries": [_CANDIDATE],
    "candidates": [],
}
CLOSING: dict[str, Any] = {
    "competition": "digits",
    "phase": "finals",
    "closes_at": "2026-06-01T00:00:00Z",
    "closed_at": "2026-06-01T00:11:04Z",
    "revealed_at": None,
    "automatic": False,
    "waits_for": None,
    "entries": 23,
    "complete": 23,
    "running": [],
    "stalled": [],
    "failed": [],
    "obstacle": None,
    "forceable": False,
}
REVEALED = CLOSING | {
    "phase": "revealed",
    "revealed_at": "2026-06-02T09:00:00Z",
    "obstacle": "Its results have been revealed already.",
}
LOCKED: Words = (
    "conflict",
    "Not possible in this state",
    "Final entries were locked at the close, 2026-06-01 00:00 UTC.",
    "What was chosen then stands; free places are filled with your best public submissions.",
)
TOO_MANY: Words = (
    "bad_request",
    "The request cannot be understood",
    "You chose 3 submissions, and 2 can be final entries.",
    "Choose at most 2.",
)
STILL_RUNNING: Words = (
    "conflict",
    "Not possible in this state",
    "2 of 23 final entries are still being evaluated, or graded again.",
    "Wait until they have ended, and apply or drop what was rerun.",
)
