"""Declares the operators that torchvision registers at its import, where its binary does not fit a CPU build of torch; installed only there.

Transforms and models do without them. Each raises when it is called, and not when torchvision is imported.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_SCHEMAS = tuple(
    f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" for name in ("nms", "qnms")
)
_LIBRARIES = []  # torch forgets what a collected one declared


class _BeforeTorchvision(MetaPathFinder):
    """Finds nothing: it declares the operators just before torchvision's first import."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Declare once, then leave the search to the others."""
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            import torch  # noqa: PLC0415 - only who imports torchvision pays for it

            library = torch.library.Library("torchvision", "FRAGMENT")
            for schema in _SCHEMAS:
                library.define(schema)
            _LIBRARIES.append(library)
        return None


sys.meta_path.insert(0, _BeforeTorchvision())
