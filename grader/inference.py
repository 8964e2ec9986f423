"""A model's outputs on images, and its accuracy."""

import numpy as np
import torch
from numpy.typing import NDArray

from grader import checks
from grader.checks import GradeError


def logits(model: torch.nn.Module, images: torch.Tensor, batch_size: int, device: str) -> NDArray[np.float32]:
    """Return the model's logits [n, C] as float32, computed in batches on `device` without gradients.

    The model is moved to `device` and computes in evaluation mode; each module's mode is put back. Beside the
    result only one batch and its outputs are held, however many images there are; `images` are not copied.
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
            return _all_outputs(model, images, batch_size, device)
    finally:
        for module, mode in training.items():
            module.training = mode


def accuracy(outputs: object, labels: object) -> float:
    """Return the share of rows of logits [n, C] whose largest entry is at the label [n].

    >>> accuracy(np.array([[1.0, 2.0], [3.0, 0.0]]), [1, 1])
    0.5
    """
    values = checks.floats("outputs", outputs, 2)
    chosen = checks.labels(labels, *values.shape)
    return float((values.argmax(axis=1) == chosen).mean())


def _all_outputs(model: torch.nn.Module, images: torch.Tensor, size: int, device: str) -> NDArray[np.float32]:
    """Fill one array batch by batch; its width is that of the first batch's outputs."""
    first = _outputs(model, images[:size].to(device))
    whole = np.empty((len(images), first.shape[1]), np.float32)
    whole[:size] = first
    for start in range(size, len(images), size):
        found = _outputs(model, images[start : start + size].to(device))
        if found.shape[1] != whole.shape[1]:
            raise GradeError(
                f"model returned {whole.shape[1]} classes for one batch, {found.shape[1]} for another"
            )
        whole[start : start + size] = found
    return whole


def _outputs(model: torch.nn.Module, batch: torch.Tensor) -> NDArray[np.float32]:
    found = model(batch)
    if not isinstance(found, torch.Tensor) or found.ndim != 2 or len(found) != len(batch):
        shape = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        raise GradeError(f"model returned {shape} for {len(batch)} images; it must return [images, classes]")
    return found.float().cpu().numpy()
