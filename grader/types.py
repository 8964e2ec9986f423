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
    that need it are then missing from a report. All are kept as arrays of native byte order. Raises GradeError for
    anything else.

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
        for name, axes in {"confidence": 2, **dict.fromkeys(ACCURACIES, 1), "logits": 3}.items():
            if getattr(self, name) is not None or name == "confidence":
                object.__setattr__(self, name, checks.floats(name, getattr(self, name), axes))
        for name in ACCURACIES:
            if getattr(self, name) is not None:
                self._check_accuracy(name, getattr(self, name))
        if self.logits is not None and self.logits.shape[:2] != self.confidence.shape:
            needed = f"({self.n_models}, {self.n_examples}, classes)"
            raise GradeError(f"logits has shape {self.logits.shape}; it must be {needed}")

    def _check_accuracy(self, name: str, accuracy: Floats) -> None:
        if accuracy.size != self.n_models:
            raise GradeError(f"{name} holds {accuracy.size} models and confidence holds {self.n_models}")
        wrong = accuracy[~(np.isfinite(accuracy) & (accuracy >= 0))]
        if wrong.size:
            raise GradeError(f"{name} must be finite and not negative; it holds {wrong[0]:g}")

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
