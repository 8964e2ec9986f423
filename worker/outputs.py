"""What one model says about a split's images: measured outside the sandbox, stored, and graded."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from grader import inference
from worker.files import npz_bytes
from worker.material import Material
from worker.recipe import load_model_module

BATCH = 512
CPU_ALLOCATOR = "DefaultCPUAllocator"
"""On the CPU torch reports a lack of memory as a plain RuntimeError that names its allocator."""


class NotFiniteLogits(ValueError):  # noqa: N818 - named after the reason code
    """A model's logits hold NaN or infinity."""


class ModelFailed(ValueError):  # noqa: N818 - named after the reason code
    """A model raised with weights that were returned, and does not with the original's."""


@dataclass(frozen=True)
class RunOutputs:
    """Logits on the forget set, float32 [S, C], and accuracies in [0, 1]."""

    forget_logits: NDArray[np.float32]
    retain_accuracy: float
    test_accuracy: float

    def to_bytes(self) -> bytes:
        """Return these outputs as an npz file."""
        accuracies = np.array([self.retain_accuracy, self.test_accuracy], dtype=np.float64)
        return npz_bytes({"forget_logits": self.forget_logits, "accuracies": accuracies})

    @classmethod
    def from_bytes(cls, data: bytes) -> "RunOutputs":
        """Read what `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            retain, test = arrays["accuracies"]
            return cls(arrays["forget_logits"], float(retain), float(test))


def measure(model: torch.nn.Module, arrays: Mapping[str, NDArray[np.generic]], device: str) -> RunOutputs:
    """Return a model's outputs on {forget,retain,test}_{images,labels}. Raises NotFiniteLogits.

    The images are not copied, and only the forget set's logits are kept.
    """

    def logits(part: str) -> NDArray[np.float32]:
        images = torch.from_numpy(np.ascontiguousarray(arrays[f"{part}_images"]))
        found = inference.logits(model, images, BATCH, device)
        if not np.isfinite(found).all():
            raise NotFiniteLogits(part)
        return found

    def accuracy(part: str) -> float:
        return inference.accuracy(logits(part), np.asarray(arrays[f"{part}_labels"]))

    return RunOutputs(logits("forget"), accuracy("retain"), accuracy("test"))


class Split:
    """A reference's split in memory: its arrays, the layout of its weights, and its architecture, built once."""

    def __init__(self, material: Material, device: str) -> None:
        self.sandbox, self.smoke = material.sandbox, material.smoke
        self.layout = material.layout()
        self.arrays = material.arrays()
        self.reference = material.outputs()
        self._original = material.original()
        self._device = device
        self._model = load_model_module(material.sandbox).build_model()

    def measure(self, state: Mapping[str, torch.Tensor]) -> RunOutputs:
        """Return the outputs of one set of checked weights.

        Raises NotFiniteLogits or ModelFailed, which are the weights' doing; anything else is ours: no memory, a
        device that broke, an architecture that does not even run with the original's weights.
        """
        try:
            return self._measure(state)
        except (NotFiniteLogits, MemoryError, torch.OutOfMemoryError, torch.AcceleratorError):
            raise
        except Exception as error:
            if CPU_ALLOCATOR in str(error):
                raise
            self._measure(self._original)
            raise ModelFailed(str(error)) from error

    @cached_property
    def original_logits(self) -> NDArray[np.float32]:
        """The original model's logits on the forget set, [S, C]."""
        self._model.load_state_dict(dict(self._original), strict=True)
        images = torch.from_numpy(np.ascontiguousarray(self.arrays["forget_images"]))
        return inference.logits(self._model, images, BATCH, self._device)

    def _measure(self, state: Mapping[str, torch.Tensor]) -> RunOutputs:
        self._model.load_state_dict(dict(state), strict=True)
        return measure(self._model, self.arrays, self._device)
