"""An example of a comparison, for the OpenAPI document."""

from typing import Any

_SIDE: dict[str, Any] = {
    "entrant": "ada",
    "yours": True,
    "note": "fine-tune, 3 epochs",
    "created_at": "2026-03-01T12:00:00Z",
    "interval_low": 0.0672,
    "interval_high": 0.0752,
    "calibrated_score": 0.7734,
    "retain_ratio": 0.982,
    "test_ratio": 0.971,
    "summary": None,
    "flags": [],
    "runs": 32,
    "median_seconds": 0.81,
    "slowest_seconds": 1.11,
    "grader_version": "2",
    "reference_version": 1,
}
COMPARISON: dict[str, Any] = {
    "competition": "digits",
    "ranked_by": "official",
    "decimals": {"score": 4, "seconds": 2},
    "first": _SIDE
    | {
        "submission_id": "0b9a7c6f5e4d4c3b8a29181716151413",
        "score": 0.0712,
        "official_score": 0.0712,
        "forgetting_quality": 0.0747,
    },
    "second": _SIDE
    | {
        "submission_id": "1c9a7c6f5e4d4c3b8a29181716151413",
        "score": 0.0598,
        "interval_low": 0.0558,
        "interval_high": 0.0638,
        "official_score": 0.0598,
        "forgetting_quality": 0.0617,
    },
    "difference": {"value": 0.0114, "interval_low": 0.0062, "interval_high": 0.0166, "method": "paired"},
    "verdict": "first",
    "words": "The 95 % interval of the difference leaves out 0 (by the same halves of the models in both).",
}
