"""What the description of the API shows of submissions, competitions and boards."""

from typing import Any

from app import ranking
from app.competitions import Publish
from app.flags import flags_of
from app.phases import Phase, what_next
from app.routes.csv_table import leaderboard_csv
from app.schemas.boards import LeaderboardOut

_DIGEST = "3b4f6a1d0c92e7f58b1c6d4e9a0f7283546bd1c0e9f8a7b6c5d4e3f2a1b0c9d8"
_ID = "0b9a7c6f5e4d4c3b8a29181716151413"
_DEVICE = "AMD EPYC 9B14, 1 thread"

_DECIMALS = {"score": 4, "seconds": 2}
_FIRST: dict[str, Any] = {
    "id": "7d8e9f0a1b2c3d4e5f60718293a4b5c6",
    "split": "public",
    "generation": 1,
    "status": "running",
    "verdict": None,
    "reason": None,
    "published": True,
    "cancel_requested": False,
    "score": None,
    "created_at": "2026-03-01T12:00:00Z",
}

SUBMISSION: dict[str, Any] = {
    "id": _ID,
    "competition": "digits",
    "user": "ada",
    "team": "the sieve",
    "note": "fine-tune, 3 epochs",
    "created_at": "2026-03-01T12:00:00Z",
    "bundle_digest": _DIGEST,
    "bundle_bytes": 1843,
    "status": "running",
    "verdict": None,
    "reason": None,
    "runs": {"total": 32, "succeeded": 7, "running": 1, "queued": 24, "failed": 0},
    "progress": {
        "stages": [
            {"name": "received", "state": "done", "started_at": "2026-03-01T12:00:00Z", "seconds": None},
            {"name": "queued", "state": "done", "started_at": "2026-03-01T12:00:00Z", "seconds": 41.2},
            {"name": "smoke", "state": "done", "started_at": "2026-03-01T12:00:41Z", "seconds": 0.87},
            {"name": "runs", "state": "now", "started_at": "2026-03-01T12:00:42Z", "seconds": None},
            {"name": "scoring", "state": "ahead", "started_at": None, "seconds": None},
            {"name": "done", "state": "ahead", "started_at": None, "seconds": None},
        ],
        "runs_done": 7,
        "runs_total": 32,
        "ahead": None,
        "estimate": {
            "low_seconds": 30,
            "high_seconds": 90,
            "until": "score",
            "measured_runs": 200,
            "workers": 1,
        },
        "estimate_words": "30 s to 1.5 min",
        "remarks": ["Run 3 was given to another worker: our fault, nothing is charged."],
    },
    "cutoff_seconds": 1.48,
    "decimals": _DECIMALS,
    "generation": 1,
    "score": None,
    "reference_version": 1,
    "evaluations": [_FIRST],
    "refunded": False,
    "may_cancel": True,
    "run_details": [
        {
            "seed_index": 0,
            "status": "succeeded",
            "seconds": 0.61,
            "cutoff_seconds": 1.52,
            "device": _DEVICE,
            "reason": None,
            "losses": 0,
        }
    ],
    "smoke": {
        "status": "succeeded",
        "verdict": None,
        "reason": None,
        "seconds": 0.34,
        "log": f"/api/v1/submissions/{_ID}/log",
        "dropped_bytes": 0,
    },
    "disqualified": None,
    "links": {"self": f"/api/v1/submissions/{_ID}", "html": f"/submissions/{_ID}"},
}
RETRAINING = {
    "score": 0.0921,
    "interval_low": 0.0842,
    "interval_high": 0.1,
    "calibrated_score": 1.0,
    "forgetting_quality": 0.0919,
    "retain_ratio": 1.001,
    "test_ratio": 1.001,
    "median_seconds": 7.4,
}
LEADERBOARD = {
    "competition": "digits",
    "split": "public",
    "as_of": "2026-03-01T12:00:00Z",
    "ranked_by": "official",
    "ranking": "official score to four decimals, best submission per participant or team",
    "tie_rule": ranking.TIES,
    "decimals": _DECIMALS,
    "flags": [{"code": one.code, "name": one.name, "meaning": one.meaning} for one in flags_of(["clipped"])],
    "retraining": RETRAINING,
    "unranked": 0,
    "without_score": 0,
    "rows": [
        {
            "rank": 1,
            "public_rank": None,
            "rank_change": None,
            "band": 1,
            "band_first": 1,
            "band_last": 1,
            "entrant": "the sieve",
            "kind": "team",
            "members": ["ada", "grace"],
            "user": "ada",
            "submission_id": _ID,
            "score": 0.0712,
            "interval_low": 0.0643,
            "interval_high": 0.0781,
            "official_score": 0.0712,
            "calibrated_score": 0.7751,
            "forgetting_quality": 0.0747,
            "retain_ratio": 0.982,
            "test_ratio": 0.971,
            "flags": ["clipped"],
            "entries": 4,
            "last_at": "2026-03-01T11:00:00Z",
            "median_seconds": 0.62,
        }
    ],
}
LEADERBOARD_CSV = leaderboard_csv(LeaderboardOut.model_validate(LEADERBOARD, context=Publish()))
SCORED: dict[str, Any] = SUBMISSION | {
    "status": "done",
    "verdict": "scored",
    "progress": {
        **SUBMISSION["progress"],
        "stages": [
            {"name": "received", "state": "done", "started_at": "2026-03-01T12:00:00Z", "seconds": None},
            {"name": "queued", "state": "done", "started_at": "2026-03-01T12:00:00Z", "seconds": 41.2},
            {"name": "runs", "state": "done", "started_at": "2026-03-01T12:00:42Z", "seconds": 27.31},
            {"name": "scoring", "state": "done", "started_at": "2026-03-01T12:01:09Z", "seconds": 2.04},
            {"name": "done", "state": "done", "started_at": "2026-03-01T12:01:11Z", "seconds": None},
        ],
        "runs_done": 32,
        "estimate": None,
        "estimate_words": None,
    },
    "runs": {"total": 32, "succeeded": 32, "running": 0, "queued": 0, "failed": 0},
    "score": {
        "ranked_by": "official",
        "score": 0.0712,
        "interval_low": 0.0643,
        "interval_high": 0.0781,
        "calibrated_score": 0.7751,
        "calibrated_low": 0.7,
        "calibrated_high": 0.8502,
        "forgetting_quality": 0.0747,
        "retain_ratio": 0.982,
        "test_ratio": 0.971,
        "flags": [],
        "summary": {
            "forget_accuracy": 0.6313,
            "retrained_forget_accuracy": 0.5742,
            "median_epsilon": 3.2189,
            "share_without_points": 0.0333,
            "median_attack_auc": 0.5417,
            "share_proved": 0.0833,
            "share_rejected": 0.0667,
        },
        "retraining_score": 0.0921,
        "grader_version": "1",
        "reference_digest": _DIGEST,
    },
    "evaluations": [_FIRST | {"status": "done", "verdict": "scored", "score": 0.0712}],
    "may_cancel": False,
}
_EVALUATION_ID = "1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f"
EVALUATION = {
    "id": _EVALUATION_ID,
    "submission_id": _ID,
    "split": "public",
    "generation": 2,
    "status": "queued",
    "verdict": None,
    "reason": None,
    "published": False,
    "cancel_requested": False,
    "score": None,
    "created_at": "2026-03-01T13:00:00Z",
    "links": {"self": f"/api/v1/evaluations/{_EVALUATION_ID}", "html": f"/submissions/{_ID}"},
}
WORKERS: dict[str, Any] = {
    "next": None,
    "queue": {"normal": 61, "low": 0, "oldest_queued_at": "2026-03-01T12:00:00Z"},
    "items": [
        {
            "name": "worker-1",
            "host": "gpu-7",
            "pid": 4711,
            "device_class": "cpu",
            "device": "9a0b1c2d3e4f5a6b",
            "device_name": "AMD EPYC 9B14",
            "sandboxes": "bubblewrap",
            "version": "0.1.0",
            "state": "running",
            "run_id": "3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b",
            "started_at": "2026-03-01T11:50:00Z",
            "seen_at": "2026-03-01T12:00:41Z",
        }
    ],
    "leases": [
        {
            "run_id": "3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b",
            "submission_id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
            "evaluation_id": "1b2c3d4e5f60718293a4b5c6d7e8f90a",
            "competition": "digits",
            "split": "public",
            "seed_index": 3,
            "worker": "worker-1",
            "started_at": "2026-03-01T12:00:40Z",
            "lease_until": "2026-03-01T12:01:40Z",
            "cutoff_seconds": 1.52,
        }
    ],
}
CALIBRATION: dict[str, Any] = {
    "id": "2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a",
    "competition": "digits",
    "split": "public",
    "reference_version": 1,
    "current": True,
    "device": "5f0c1d2e3a4b6978",
    "device_name": _DEVICE,
    "facts": {
        "processor": "AMD EPYC 9B14",
        "accelerator": None,
        "threads": 1,
        "memory_mb": 3000,
        "processes": 64,
        "torch": "2.13.0+cpu",
        "sandboxes": "bubblewrap",
    },
    "seconds": 7.61,
    "repeats": [7.58, 7.61, 7.66],
    "worker": "worker-1",
    "measured_at": "2026-03-01T11:58:00Z",
    "drift": 1.02,
    "drifted": False,
    "checked_at": "2026-03-01T12:10:00Z",
    "stale": False,
}
EVENTS = {
    "items": [
        {
            "id": 41,
            "at": "2026-03-01T12:00:00Z",
            "kind": "submission.accepted",
            "actor": "ada",
            "submission_id": _ID,
            "evaluation_id": None,
            "detail": _DIGEST,
        }
    ],
    "next": "/api/v1/admin/events?after=41&limit=100",
}

REJECTED = (
    "missing_submission_py",
    "There is no submission.py at the root of the archive.",
    "There is no submission.py at the root of the archive.",
    "Zip the files themselves, not the folder that holds them.",
)
_DATES = {"opens_at": "2026-01-01T00:00:00Z", "closes_at": "2026-06-01T00:00:00Z"}
_DIGITS = {
    "slug": "digits",
    "title": "Forget the digits",
    "summary": "Unlearn mislabelled digits from a narrow ResNet-18.",
    "phase": "open",
    **_DATES,
    "revealed_at": None,
    "links": {"self": "/api/v1/competitions/digits", "html": "/competitions/digits"},
}
COMPETITIONS = {"items": [{**_DIGITS, "participants": 12, "submissions": 87}], "next": None}
QUOTA = {
    "limit": 7,
    "used": 1,
    "remaining": 6,
    "resets_at": "2026-03-02T00:00:00Z",
    "adjustments": [
        {
            "amount": 2,
            "day": "2026-03-01",
            "reason": "the queue stood still yesterday",
            "at": "2026-03-01T08:00:00Z",
        }
    ],
}
COMPETITION = {
    **_DIGITS,
    "next_at": _DATES["closes_at"],
    "what_next": what_next(Phase.OPEN, 2, automatic=False),
    "final_entries": 2,
    "entry_function": "unlearning",
    "batches": {"size": 64, "kind": "tuple", "fields": {}},
    "limits": {"max_bytes": 10_000_000, "max_unpacked_bytes": 50_000_000, "max_files": 200, "per_day": 5},
    "ranked_by": "official",
    "runs": 32,
    "cutoff_fraction": 0.2,
    "cutoff_seconds": 1.48,
    "retrain_seconds": 7.4,
    "decimals": _DECIMALS,
    "smoke_run": True,
    "memory_mb": 3000,
    "threads": 1,
    "reference_version": 1,
    "reference_digest": _DIGEST,
    "retraining": RETRAINING,
    "pages": [
        {
            "name": "overview",
            "title": "Overview",
            "markdown": "Make a network forget **100 handwritten digits** that it was trained on.\n",
        }
    ],
    "facts": {
        "original": {
            "forget_accuracy": 0.978,
            "retain_accuracy": 0.991,
            "test_accuracy": 0.732,
            "attack_auc": 0.771,
        },
        "retrained": {
            "forget_accuracy": 0.574,
            "retain_accuracy": 0.992,
            "test_accuracy": 0.751,
            "attack_auc": 0.509,
        },
    },
    "quota": QUOTA,
    "disqualified": None,
}
SUBMISSIONS = {
    "items": [
        {
            **{
                key: SUBMISSION[key]
                for key in ("id", "competition", "user", "team", "note", "created_at", "status")
            },
            "competition_title": "Forget the digits",
            "verdict": None,
            "reason": None,
            "ranked_by": "official",
            "score": None,
            "decimals": _DECIMALS,
            "runs_done": 7,
            "runs_total": 32,
            "generation": 1,
            "disqualified": False,
            "links": SUBMISSION["links"],
        }
    ],
    "next": None,
    "next_cursor": None,
}
CANCEL = {
    "submission_id": _ID,
    "evaluations": [
        {**EVALUATION, "generation": 1, "status": "running", "published": True, "cancel_requested": True}
    ],
}
LOG = "epoch 1: loss 0.4312\nepoch 2: loss 0.2207\n"
HEALTH = {"status": "ok", "database": "ok"}
READY = {"status": "ready", "checks": {"database": "ok", "storage": "ok", "broker": "cannot be reached"}}
CHANGED = (
    'event: beat\ndata: {"beat_seconds": 10.0, "poll_seconds": 2}\nretry: 2000\n\n'
    'event: changed\ndata: {"status": "running", "verdict": null, "runs_done": 7, "runs_total": 32, "ahead": null, '
    '"estimate_words": "30 s to 1.5 min", "final": false}\nid: 4182\n\n'
)
