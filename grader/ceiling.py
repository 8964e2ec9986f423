"""What retraining itself would have scored, and scores measured by it.

The official forgetting quality of retrained against other retrained models is far from 1 and depends on N, so the
ceiling is taken at the same N as the number it measures.
"""

import math
from dataclasses import dataclass

from grader.draws import Draws, Replicates, draw, mean

__all__ = ["Ceiling", "Draws", "ceiling", "draw"]


@dataclass(frozen=True)
class Ceiling:
    """Forgetting quality measured by that of retraining, both at the same number of models.

    `forgetting_quality` is of retrained against retrained, `unlearned` of unlearned against retrained models, each
    at `n_models`. Calibrated forgetting is their ratio, 1 where nothing tells unlearning from retraining; the calibrated
    score is it times both utility ratios. Both are None with a `reason` where they cannot be had. `epsilon` [S] is of
    retrained against retrained models at N; None without a second reference.
    """

    forgetting_quality: float
    unlearned: float
    calibrated_forgetting: float | None
    calibrated_score: float | None
    n_models: int
    second_reference: bool
    reason: str | None
    epsilon: Replicates | None


def ceiling(drawn: Draws) -> Ceiling:
    """Return forgetting quality measured by that of retraining.

    With a second reference both are taken at N. Without, both are means over halves of N // 2 models.

    >>> import numpy as np
    >>> from grader.types import ModelOutputs
    >>> rng = np.random.default_rng(0)
    >>> U, R = (ModelOutputs(rng.normal(size=(16, 20))) for _ in range(2))
    >>> found = ceiling(draw(U, R, draws=8))
    >>> found.n_models, found.calibrated_score, found.reason
    (8, None, 'accuracies are not known')
    """
    if drawn.top is None:
        top, found, n_models = mean(drawn.ceiling), mean(drawn.forgetting), drawn.n_models // 2
    else:
        top, found, n_models = drawn.top, drawn.forgetting_quality, drawn.n_models
    forgetting = found / top if top > 0 and not math.isnan(found) else None
    return Ceiling(
        forgetting_quality=top,
        unlearned=found,
        calibrated_forgetting=forgetting,
        calibrated_score=None if drawn.utility is None or forgetting is None else forgetting * drawn.utility,
        n_models=n_models,
        second_reference=drawn.top is not None,
        reason=_reason(found, top, drawn.utility),
        epsilon=drawn.top_epsilon,
    )


def _reason(found: float, top: float, kept: float | None) -> str | None:
    if math.isnan(found) or math.isnan(top):
        return "an example has no epsilon"
    if top == 0:
        return "retrained models have no points against each other"
    return "accuracies are not known" if kept is None else None
