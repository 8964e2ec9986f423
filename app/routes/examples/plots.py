"""Examples of plots as numbers, for the OpenAPI document."""

from typing import Any

_ID = "0b9a7c6f5e4d4c3b8a29181716151413"

PLOTS: dict[str, Any] = {
    "submission_id": _ID,
    "competition": "digits",
    "models": 32,
    "step": 0.05,
    "missing": None,
    "epsilon": [
        {"low": 0.0, "high": 0.5, "points": 1.0, "unlearned": 0.05, "retrained": 0.05},
        {"low": 0.5, "high": 4.0, "points": 0.5, "unlearned": 0.6, "retrained": 0.9},
        {"low": 4.0, "high": 50.0, "points": 0.0, "unlearned": 0.3, "retrained": 0.05},
        {"low": 50.0, "high": None, "points": 0.0, "unlearned": 0.05, "retrained": 0.0},
    ],
    "roc": [
        {"false_positive_rate": 0.01, "true_positive_rate": 0.05},
        {"false_positive_rate": 0.1, "true_positive_rate": 0.25},
    ],
    "examples": [],
}
PROGRESS: dict[str, Any] = {
    "competition": "digits",
    "split": "public",
    "ranked_by": "official",
    "entrants": [
        {
            "entrant": "ada",
            "kind": "person",
            "rank": 1,
            "steps": [
                {"at": "2026-03-01T12:00:00Z", "score": 0.0611},
                {"at": "2026-03-02T09:30:00Z", "score": 0.0712},
            ],
        }
    ],
}
