"""How far a submission has come, for pages and API alike."""

from app.competitions import Publish
from app.models import Evaluation, Submission
from app.schemas.progress import ProgressOut
from app.status import RunStatus, Status
from app.views.queue import Place
from app.views.stages import remarks, stages


def progress_of(
    submission: Submission, evaluation: Evaluation, place: Place | None, publish: Publish
) -> ProgressOut:
    """Return an evaluation's progress; `place` is None where it has none in the queue."""
    waits = evaluation.status is Status.QUEUED
    return ProgressOut(
        stages=stages(evaluation, submission.created_at, publish),
        runs_done=sum(run.status is RunStatus.SUCCEEDED for run in evaluation.seed_runs),
        runs_total=evaluation.n_runs,
        ahead=place.ahead if place is not None and waits else None,
        estimate=None if place is None else place.estimate,
        estimate_words=None if place is None else place.words,
        remarks=remarks(evaluation),
    )
