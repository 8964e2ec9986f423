"""A model's outputs on images, and its accuracy."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from grader import checks
from grader.checks import GradeError


def logits(model: torch.nn.Module, images: torch.Tensor, batch_size: int, device: str) -> NDArray[np.float32]:
    """Return the model's logits [n, C] as float32, computed in batches on `device` without gradients.

    The model is moved to `device`; it computes in evaluation mode, and each module's mode is put back.
    Raises GradeError for no images, a batch size below 1, or outputs that are not [n, C].

    >>> logits(torch.nn.Identity(), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), batch_size=1, device="cpu")
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    if images.ndim == 0 or len(images) == 0:
        raise GradeError("images is empty")
    if batch_size < 1:
        raise GradeError(f"batch_size is {batch_size}; it must be at least 1")
    training = {module: module.training for module in model.modules()}
    model.to(device).eval()
    try:
        with torch.no_grad():
            parts = [_outputs(model, batch.to(device)) for batch in _batches(images, batch_size)]
    finally:
        for module, mode in training.items():
            module.training = mode
    return np.concatenate(parts)


def accuracy(outputs: object, labels: object) -> float:
    """Return the share of rows of logits [n, C] whose largest entry is at the label [n].

    >>> accuracy(np.array([[1.0, 2.0], [3.0, 0.0]]), [1, 1])
    0.5
    """
    values = checks.floats("outputs", outputs, 2)
    chosen = checks.labels(labels, *values.shape)
    return float((values.argmax(axis=1) == chosen).mean())


def _batches(images: torch.Tensor, size: int) -> Iterator[torch.Tensor]:
    return (images[start : start + size] for start in range(0, len(images), size))


def _outputs(model: torch.nn.Module, batch: torch.Tensor) -> NDArray[np.float32]:
    found = model(batch)
    if not isinstance(found, torch.Tensor) or found.ndim != 2 or len(found) != len(batch):
        shape = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        raise GradeError(f"model returned {shape} for {len(batch)} images; it must return [images, classes]")
    return found.float().cpu().numpy()
