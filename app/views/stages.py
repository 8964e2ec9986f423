"""The stages of a submission's way, and what went wrong on our side, in words."""

from collections.abc import Sequence
from datetime import datetime

from app.competitions import Publish
from app.models import Evaluation, Run
from app.schemas.progress import StageName, StageOut, StageState
from app.status import RunStatus, Status, Verdict

_MOMENTS = ("received", "done")
_TIMES = {1: "", 2: " twice"}


def stages(evaluation: Evaluation, received_at: datetime, publish: Publish) -> list[StageOut]:
    """Return the stages with when each began and how long it took; what a finished one never reached is left out."""
    begun = _begun(evaluation, received_at)
    done = evaluation.status is Status.DONE
    found = []
    for name, (started_at, ended_at) in begun.items():
        if done and started_at is None:
            continue
        seconds = None
        if started_at is not None and ended_at is not None and name not in _MOMENTS:
            seconds = max(0.0, (ended_at - started_at).total_seconds())
        at = None if started_at is None else started_at.replace(microsecond=0)
        state = _state(started_at, ended_at)
        found.append(StageOut.rounded(publish, name=name, state=state, started_at=at, seconds=seconds))
    if done and evaluation.verdict is not Verdict.SCORED:
        found[-2] = found[-2].model_copy(update={"state": "stopped"})
    return found


def _state(started_at: datetime | None, ended_at: datetime | None) -> StageState:
    if started_at is None:
        return "ahead"
    return "now" if ended_at is None else "done"


def _begun(
    evaluation: Evaluation, received_at: datetime
) -> dict[StageName, tuple[datetime | None, datetime | None]]:
    """Return when each stage began and ended."""
    over, smoke = evaluation.finished_at, evaluation.smoke_run
    seeds_began = _seeds_began(evaluation)
    scoring_at = _scoring_at(evaluation)
    found: dict[StageName, tuple[datetime | None, datetime | None]] = {
        "received": (received_at, evaluation.created_at),
        "queued": (evaluation.created_at, evaluation.started_at or over),
    }
    if smoke is not None:
        found["smoke"] = (_first_start([smoke]), smoke.finished_at or over)
    found["runs"] = (seeds_began, scoring_at or over)
    found["scoring"] = (scoring_at, over)
    found["done"] = (over, over)
    return found


def _seeds_began(evaluation: Evaluation) -> datetime | None:
    """Return when the first seed's run began: at the latest when the smoke run had gone well."""
    smoke = evaluation.smoke_run
    went_well = smoke is not None and smoke.status is RunStatus.SUCCEEDED
    return _first_start(evaluation.seed_runs) or (smoke.finished_at if smoke and went_well else None)


def _first_start(runs: Sequence[Run]) -> datetime | None:
    return min((run.started_at for run in runs if run.started_at is not None), default=None)


def _scoring_at(evaluation: Evaluation) -> datetime | None:
    """Return when the last run was recorded, which begins the scoring."""
    runs = evaluation.runs
    if evaluation.status is Status.QUEUED or any(run.status is not RunStatus.SUCCEEDED for run in runs):
        return None
    return max((run.finished_at for run in runs if run.finished_at is not None), default=None)


def remarks(evaluation: Evaluation) -> list[str]:
    """Say which runs, or scorings, were lost through our fault.

    "Run 7 was given to another worker: our fault, nothing is charged."
    """
    found = [_remark(run) for run in evaluation.runs if run.losses]
    if evaluation.losses:
        found.append(
            f"The scoring was given to another worker{_times(evaluation.losses)}: our fault, nothing is charged."
        )
    return found


def _remark(run: Run) -> str:
    name = "The smoke run" if run.seed_index < 0 else f"Run {run.seed_index + 1}"
    if run.status is RunStatus.QUEUED:
        return f"{name} was lost{_times(run.losses)} and waits for another worker: our fault, nothing is charged."
    if run.status is RunStatus.SKIPPED:
        return f"{name} was lost{_times(run.losses)}: our fault, nothing is charged."
    return f"{name} was given to another worker{_times(run.losses)}: our fault, nothing is charged."


def _times(count: int) -> str:
    return _TIMES.get(count, f" {count} times")
