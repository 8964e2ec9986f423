"""What the grader is given about one group of models."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader import checks
from grader.checks import Floats, GradeError


@dataclass(frozen=True)
class ModelOutputs:
    """N models: confidences on the S forget examples [N, S], accuracies on retain and test sets [N].

    Accuracies are finite and not negative, all as shares or all as percentages. Raises GradeError otherwise.

    >>> ModelOutputs(np.zeros((2, 3)), np.array([0.9, 0.8]), np.array([0.7]))
    Traceback (most recent call last):
        ...
    grader.checks.GradeError: test_accuracy holds 1 models and confidence holds 2
    """

    confidence: Floats
    retain_accuracy: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]

    def __post_init__(self) -> None:
        models = checks.floats("confidence", self.confidence, 2).shape[0]
        for name in ("retain_accuracy", "test_accuracy"):
            accuracy = checks.floats(name, getattr(self, name), 1)
            if accuracy.size != models:
                raise GradeError(f"{name} holds {accuracy.size} models and confidence holds {models}")
            if not np.isfinite(accuracy).all() or (accuracy < 0).any():
                raise GradeError(f"{name} must be finite and not negative")
