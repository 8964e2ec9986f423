"""An organiser's two Python files, loaded by path: model.py (architecture and training) and data.py (arrays)."""

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import torch
from torch import nn

from app.competitions import InvalidCompetition

STATE_DTYPES = frozenset(
    {
        torch.float64,
        torch.float32,
        torch.float16,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.bool,
    }
)
"""What a state dict may hold: the types that both numpy and safetensors have."""


class Train(Protocol):
    """Trains in place; the caller has set the seeds. Calls `on_epoch(done, total)` after each epoch."""

    def __call__(
        self,
        model: nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        *,
        device: str,
        on_epoch: Callable[[int, int], None],
    ) -> None:
        """Train `model` on images [n, ...] and labels [n]."""


@dataclass(frozen=True)
class Recipe:
    """The two functions of model.py."""

    build_model: Callable[[], nn.Module]
    train: Train


def load_model_module(folder: Path) -> Recipe:
    """Load folder/model.py. Raises InvalidCompetition naming the file and what it lacks."""
    path = folder / "model.py"
    module = _load(path)
    build_model = _function(module, path, "build_model")
    train = _function(module, path, "train", None, None, None, device="cpu", on_epoch=None)
    return Recipe(build_model, train)


def load_arrays(folder: Path) -> dict[str, Any]:
    """Call load() of folder/data.py; the arrays are not checked yet. Raises InvalidCompetition."""
    path = folder / "data.py"
    load = _function(_load(path), path, "load")
    try:
        arrays = load()
    except Exception as error:
        raise InvalidCompetition(f"{path}: load() raised {told(error)}") from error
    if not isinstance(arrays, dict):
        raise InvalidCompetition(f"{path}: load() returned {type(arrays).__name__}, not a dict of arrays")
    return arrays


def check_model(recipe: Recipe, images: torch.Tensor, n_classes: int) -> None:
    """Build a model and try it on a few images. Raises InvalidCompetition; trains nothing."""
    try:
        model = recipe.build_model()
        state = model.state_dict()
        with torch.no_grad():
            logits = model.eval()(images)
    except Exception as error:
        raise InvalidCompetition(
            f"model.py: building the model and calling it raised {told(error)}"
        ) from error
    expected = (len(images), n_classes)
    if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != expected:
        found = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise InvalidCompetition(f"model.py: the model must return logits of shape {expected}, not {found}")
    for name, value in state.items():
        if not isinstance(value, torch.Tensor) or value.dtype not in STATE_DTYPES:
            kind = getattr(value, "dtype", type(value).__name__)
            raise InvalidCompetition(f"model.py: {name} of the state dict is {kind}, which cannot be stored")


def _load(path: Path) -> ModuleType:
    """Import a file under a private name, so that nobody's own `model` or `data` module is shadowed."""
    if not path.is_file():
        raise InvalidCompetition(f"{path} is missing")
    name = f"_lethe_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise InvalidCompetition(f"{path}: importing it raised {told(error)}") from error
    return module


def _function(module: ModuleType, path: Path, name: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """Return a function of a module that can be called with these arguments."""
    function = getattr(module, name, None)
    if not callable(function):
        raise InvalidCompetition(f"{path} defines no function {name}()")
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        raise InvalidCompetition(
            f"{path}: {name}() does not take the arguments it is given: {error}"
        ) from error
    called: Callable[..., Any] = function
    return called


def told(error: Exception) -> str:
    """Return an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
