"""What the grader is given about one group of models."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader import checks
from grader.checks import Floats, GradeError

ACCURACIES = ("retain_accuracy", "test_accuracy", "forget_accuracy")


@dataclass(frozen=True)
class ModelOutputs:
    """N models: confidences on the S forget examples [N, S], and what else is known of them.

    Accuracies on retain, test and forget sets are [N], finite and not negative, all as shares or all as
    percentages. `logits` are the models' on the forget set, [N, S, C]. What is None is not known, and the numbers
    that need it are then missing from a report. Raises GradeError for anything else.

    >>> ModelOutputs(np.zeros((2, 3)), np.array([0.9, 0.8]), np.array([0.7]))
    Traceback (most recent call last):
        ...
    grader.checks.GradeError: test_accuracy holds 1 models and confidence holds 2
    """

    confidence: Floats
    retain_accuracy: NDArray[np.float64] | None = None
    test_accuracy: NDArray[np.float64] | None = None
    forget_accuracy: NDArray[np.float64] | None = None
    logits: Floats | None = None

    def __post_init__(self) -> None:
        models, examples = checks.floats("confidence", self.confidence, 2).shape
        for name in ACCURACIES:
            if getattr(self, name) is not None:
                self._check_accuracy(name, models)
        if self.logits is not None:
            shape = checks.floats("logits", self.logits, 3).shape
            if shape[:2] != (models, examples):
                raise GradeError(f"logits has shape {shape}; it must be ({models}, {examples}, classes)")

    def _check_accuracy(self, name: str, models: int) -> None:
        accuracy = checks.floats(name, getattr(self, name), 1)
        if accuracy.size != models:
            raise GradeError(f"{name} holds {accuracy.size} models and confidence holds {models}")
        if not np.isfinite(accuracy).all() or (accuracy < 0).any():
            raise GradeError(f"{name} must be finite and not negative")

    @property
    def n_models(self) -> int:
        """N."""
        return int(self.confidence.shape[0])

    @property
    def n_examples(self) -> int:
        """S."""
        return int(self.confidence.shape[1])

    def take(self, models: NDArray[np.intp]) -> "ModelOutputs":
        """Return the outputs of the models with these numbers.

        >>> ModelOutputs(np.zeros((4, 3))).take(np.array([0, 2])).n_models
        2
        """
        chosen = {name: None if (one := getattr(self, name)) is None else one[models] for name in ACCURACIES}
        logits = None if self.logits is None else self.logits[models]
        return ModelOutputs(self.confidence[models], logits=logits, **chosen)
