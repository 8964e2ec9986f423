"""Examples for admins in the OpenAPI document."""

from typing import Any

from app.routes.answers import Words
from app.routes.examples.common import CALIBRATION, EVALUATION
from app.routes.examples.reruns import SUMMARY

_SAME = ("id", "submission_id", "split", "generation", "status", "verdict", "published", "cancel_requested")
_ROW: dict[str, Any] = {
    **{name: EVALUATION[name] for name in (*_SAME, "created_at", "links")},
    "name": "ada",
    "competition": "digits",
    "reason": None,
    "rerun_id": None,
    "disqualified": False,
    "score": None,
    "decimals": {"score": 4, "seconds": 2},
}
EVALUATIONS: dict[str, Any] = {
    "items": [_ROW],
    "total": 1,
    "counts": {"queued": 1, "running": 0, "scoring": 0, "done": 0},
    "next": None,
    "next_cursor": None,
}
OVERVIEW: dict[str, Any] = {
    "waiting": [
        {
            "lane": "normal",
            "device_class": "any",
            "runs": 61,
            "oldest_at": "2026-03-01T12:00:00Z",
            "served": True,
        }
    ],
    "running": 2,
    "evaluations": {"queued": 1, "running": 2, "scoring": 0},
    "workers": {"running": 2},
    "stalled": 0,
    "reruns": [SUMMARY],
    "drifted": [CALIBRATION | {"drift": 1.31, "drifted": True}],
}
ENDED: Words = (
    "conflict",
    "Not possible in this state",
    "It has ended already: there is nothing to cancel.",
    "",
)
