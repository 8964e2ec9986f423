"""Everything the grader says about one submission."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from grader import VERSION, official, utility
from grader.types import ModelOutputs


@dataclass(frozen=True)
class Report:
    """Headline numbers, the numbers they are made of, and a row for each forget example.

    A number that cannot be computed is NaN, and `reasons` then names why for the example concerned.
    Accuracies are means over the models.
    """

    grader_version: str
    n_models: int
    n_examples: int
    score: float
    forgetting_quality: float
    retain_ratio: float
    test_ratio: float
    unlearned_retain_accuracy: float
    unlearned_test_accuracy: float
    retrained_retain_accuracy: float
    retrained_test_accuracy: float
    epsilon: tuple[float, ...]
    points: tuple[float, ...]
    reasons: tuple[str | None, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers for JSON, with None in place of NaN."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def grade(U: ModelOutputs, R: ModelOutputs) -> Report:
    """Grade unlearned models U against retrained models R, of equal N and S.

    With retrained models in both places it gives retraining's own score, the ceiling at this N.
    Raises GradeError if the sizes differ, or if the retrained models get nothing right.

    >>> rng = np.random.default_rng(0)
    >>> U, R = (ModelOutputs(rng.normal(size=(8, 2)), np.full(8, a), np.full(8, a)) for a in (0.5, 1.0))
    >>> grade(U, R).test_ratio
    0.5
    >>> len(grade(U, R).to_dict()["epsilon"])
    2
    """
    found = official.epsilons(U.confidence, R.confidence)
    n_models, n_examples = U.confidence.shape
    awarded = official.points(found.epsilon, n_models)
    quality = official.forgetting_quality(awarded)
    retain = utility.ratio(U.retain_accuracy, R.retain_accuracy)
    test = utility.ratio(U.test_accuracy, R.test_accuracy)
    return Report(
        grader_version=VERSION,
        n_models=n_models,
        n_examples=n_examples,
        score=utility.score(quality, retain, test),
        forgetting_quality=quality,
        retain_ratio=retain,
        test_ratio=test,
        unlearned_retain_accuracy=float(np.mean(np.asarray(U.retain_accuracy))),
        unlearned_test_accuracy=float(np.mean(np.asarray(U.test_accuracy))),
        retrained_retain_accuracy=float(np.mean(np.asarray(R.retain_accuracy))),
        retrained_test_accuracy=float(np.mean(np.asarray(R.test_accuracy))),
        epsilon=tuple(found.epsilon.tolist()),
        points=tuple(awarded.tolist()),
        reasons=found.reasons,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
