"""The state machine of evaluations and their runs; it lives in the database.

Lock order, which keeps concurrent workers free of deadlocks: evaluations first, in the order of their ids, then
whatever belongs to them. Every transition is one guarded UPDATE whose row count names the winner, and an event row.
Nothing here commits: the caller's unit of work does.
"""

from app.evaluations.creation import create, fresh_seeds
from app.evaluations.ending import MAX_LOSSES, cancel, publish, says_more
from app.evaluations.locks import lock
from app.evaluations.reaping import reap
from app.evaluations.runs import (
    claim,
    give_back,
    heartbeat,
    next_up,
    record,
    show_printed,
    stop_cancelled,
    was_skipped,
)
from app.evaluations.scoring import (
    finish,
    finish_unscorable,
    outputs,
    row_of,
    scoring_claim,
    scoring_give_back,
    scoring_heartbeat,
)
from app.evaluations.types import (
    Claim,
    FinishedRun,
    NewScore,
    NextUp,
    Recorded,
    RunLog,
    RunOutcome,
    ScoringClaim,
)

__all__ = [
    "MAX_LOSSES",
    "Claim",
    "FinishedRun",
    "NewScore",
    "NextUp",
    "Recorded",
    "RunLog",
    "RunOutcome",
    "ScoringClaim",
    "cancel",
    "claim",
    "create",
    "finish",
    "finish_unscorable",
    "fresh_seeds",
    "give_back",
    "heartbeat",
    "lock",
    "next_up",
    "outputs",
    "publish",
    "reap",
    "record",
    "row_of",
    "says_more",
    "scoring_claim",
    "scoring_give_back",
    "scoring_heartbeat",
    "show_printed",
    "stop_cancelled",
    "was_skipped",
]
