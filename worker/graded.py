"""From stored logits and accuracies to what the grader takes."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from grader import inference
from grader.confidence import confidence
from grader.types import ModelOutputs

Array = NDArray[np.generic]


def model_outputs(
    logits: NDArray[np.float32], retain_accuracy: Array, test_accuracy: Array, labels: Array
) -> ModelOutputs:
    """Return N models' outputs from logits [N, S, C] on the forget set, accuracies [N] and the S labels."""
    return ModelOutputs(
        confidence=confidence(logits, labels),
        retain_accuracy=np.asarray(retain_accuracy, np.float64),
        test_accuracy=np.asarray(test_accuracy, np.float64),
        forget_accuracy=np.array([inference.accuracy(one, labels) for one in logits]),
        logits=logits,
    )


def reference_outputs(outputs: Mapping[str, NDArray[np.float32]], role: str, labels: Array) -> ModelOutputs:
    """Return the outputs of a reference's "retrained" or "ceiling" models."""
    accuracies = outputs[f"{role}_retain_accuracy"], outputs[f"{role}_test_accuracy"]
    return model_outputs(outputs[f"{role}_forget_logits"], *accuracies, labels)
