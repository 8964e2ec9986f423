"""From the stored outputs of an evaluation's runs to its score."""

import math
from collections.abc import Sequence

import numpy as np

import grader
from app.evaluations import FinishedRun, NewScore
from app.storage import Storage
from grader import report
from grader.confidence import confidence
from grader.intervals import Interval
from grader.report import Report
from grader.uncertainty import Uncertainty
from worker.graded import model_outputs, reference_outputs
from worker.outputs import RunOutputs, Split
from worker.plots import plots_of


def score_runs(finished: Sequence[FinishedRun], storage: Storage, split: Split) -> NewScore | None:
    """Grade finished runs by their stored outputs; None when some example cannot be scored."""
    outputs = [RunOutputs.from_bytes(storage.get(run.outputs_digest)) for run in finished]
    seconds, cutoffs = [run.seconds for run in finished], [run.cutoff_seconds for run in finished]
    return score_outputs(outputs, split, seconds, cutoffs)


def score_outputs(
    runs: Sequence[RunOutputs], split: Split, seconds: Sequence[float], cutoffs: Sequence[float]
) -> NewScore | None:
    """Grade N unlearned models against the split's N retrained ones; None when some example cannot be scored.

    `seconds` and `cutoffs` are each run's, [N].
    """
    labels = split.arrays["forget_labels"]
    unlearned = model_outputs(
        np.stack([run.forget_logits for run in runs]),
        np.array([run.retain_accuracy for run in runs]),
        np.array([run.test_accuracy for run in runs]),
        labels,
    )
    graded = report.grade(
        unlearned,
        reference_outputs(split.reference, "retrained", labels),
        second=reference_outputs(split.reference, "ceiling", labels),
        original=confidence(split.original_logits, labels),
        seconds=np.array(seconds),
        cutoff=np.array(cutoffs),
    )
    return new_score(graded) if math.isfinite(graded.official.score) else None


def new_score(graded: Report) -> NewScore:
    """Return a report as it is stored: beside the whole, what is ranked and shown."""
    official, uncertainty = graded.official, graded.uncertainty
    return NewScore(
        grader_version=grader.VERSION,
        score=official.score,
        forgetting_quality=official.forgetting_quality,
        retain_ratio=official.retain_ratio,
        test_ratio=official.test_ratio,
        report=graded.to_dict(),
        calibrated_score=None if graded.ceiling is None else graded.ceiling.calibrated_score,
        interval=None if uncertainty is None else _ends(uncertainty.score),
        calibrated_interval=None if uncertainty is None else _ends(uncertainty.calibrated_score),
        flags=tuple(flag.code for flag in graded.integrity.flags),
        replicates={} if uncertainty is None else _replicates(uncertainty),
        summary=_summary(graded),
        plots=plots_of(graded),
    )


def _summary(graded: Report) -> dict[str, float | None]:
    """Return the few numbers that tell a participant where a score comes from; None for a panel that is missing."""
    forget = None if graded.utility is None else graded.utility.forget
    membership, held_out, apart = graded.membership, graded.held_out, graded.distribution
    found = {
        "forget_accuracy": None if forget is None else forget.unlearned.mean,
        "retrained_forget_accuracy": None if forget is None else forget.retrained.mean,
        "median_epsilon": float(np.median(graded.official.epsilon)),
        "share_without_points": float(np.mean(np.array(graded.official.points) == 0)),
        "median_attack_auc": None if membership is None else membership.median_auc,
        "share_proved": None if held_out is None else held_out.share_above_zero,
        "share_rejected": None if apart is None else apart.rejected_ks,
    }
    return {name: None if one is None or not math.isfinite(one) else one for name, one in found.items()}


def _replicates(found: Uncertainty) -> dict[str, list[float | None]]:
    """Return both scores' replicates for JSON, which has no NaN; without those of a score that is not known."""
    kept = {"official": found.replicates_score, "calibrated": found.replicates_calibrated}
    return {
        name: [one if math.isfinite(one) else None for one in values]
        for name, values in kept.items()
        if values is not None
    }


def _ends(found: Interval | None) -> tuple[float, float] | None:
    if found is None or not (math.isfinite(found.low) and math.isfinite(found.high)):
        return None
    return found.low, found.high
