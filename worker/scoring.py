"""From the stored outputs of an evaluation's runs to its score."""

from collections.abc import Sequence

import numpy as np

import grader
from app.evaluations import NewScore
from grader import report
from grader.confidence import confidence
from grader.types import ModelOutputs
from worker.outputs import RunOutputs, Split


def score_outputs(runs: Sequence[RunOutputs], split: Split, seconds: Sequence[float]) -> NewScore | None:
    """Grade N unlearned models against the split's N retrained ones; None when some example cannot be scored."""
    labels = split.arrays["forget_labels"]
    unlearned = ModelOutputs(
        confidence(np.stack([run.forget_logits for run in runs]), labels),
        np.array([run.retain_accuracy for run in runs]),
        np.array([run.test_accuracy for run in runs]),
    )
    retrained = ModelOutputs(
        confidence(split.reference["retrained_forget_logits"], labels),
        split.reference["retrained_retain_accuracy"],
        split.reference["retrained_test_accuracy"],
    )
    graded = report.grade(unlearned, retrained)
    if not np.isfinite(graded.official.score):
        return None
    return NewScore(
        grader_version=grader.VERSION,
        score=graded.official.score,
        forgetting_quality=graded.official.forgetting_quality,
        retain_ratio=graded.official.retain_ratio,
        test_ratio=graded.official.test_ratio,
        report={**graded.to_dict(), "seconds": list(seconds)},
    )
