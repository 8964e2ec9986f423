"""Where an evaluation is (Status), how it fared (Verdict), and which moves are allowed. Pure."""

from enum import IntEnum, StrEnum


class Status(StrEnum):
    """Where an evaluation is."""

    QUEUED = "queued"
    RUNNING = "running"
    SCORING = "scoring"
    DONE = "done"


class RunStatus(StrEnum):
    """Where one seed of an evaluation is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


class RunKind(StrEnum):
    """What a run is for: one of the N that are scored, or the one on public data whose log is shown."""

    SEED = "seed"
    SMOKE = "smoke"


class FinalState(StrEnum):
    """What became of a final entry."""

    CHOSEN = "chosen"  # by its entrant, who may still choose otherwise
    ENTERED = "entered"  # taken at the close: the private split decides by it
    DROPPED = "dropped"  # chosen, but without a score at the close


class Lane(IntEnum):
    """Which runs go first: whatever waits in a lower lane is lent before everything in a higher one."""

    NORMAL = 0
    LOW = 1  # reruns: an organiser may ask for hundreds at once


class WorkerState(StrEnum):
    """What a worker is about."""

    IDLE = "idle"
    RUNNING = "running"
    DRAINING = "draining"  # was told to stop: takes no more work
    SUSPECT = "suspect"  # a fault of ours: it tries its sandboxes before it takes work again
    LOST = "lost"  # has not been heard of for long


class Verdict(StrEnum):
    """How a submission, or the run that ended it, fared."""

    SCORED = "scored"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    NO_OUTPUT = "no_output"
    INVALID_OUTPUT = "invalid_output"
    CANCELLED = "cancelled"
    STALLED = "stalled"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.DONE}),
    Status.RUNNING: frozenset({Status.SCORING, Status.DONE}),
    Status.SCORING: frozenset({Status.DONE}),
    Status.DONE: frozenset(),
}
