"""One training process: reads tasks as JSON lines, trains one model each on one thread, writes one file each.

Started by worker.training as `python -m worker.trainer FOLDER RESULTS`; ends when its input does, so a killed
parent leaves no process behind for longer than the model in flight.
"""

import contextlib
import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from torch import nn

from app.competitions import InvalidCompetition, load_config
from grader import inference
from worker.dataset import Dataset, check_dataset
from worker.files import npz_bytes, write_atomically
from worker.recipe import Recipe, load_arrays, load_model_module, told

BATCH = 512
STATE = "state."


@dataclass(frozen=True)
class Task:
    """One model to train: the original on everything, a retrained or ceiling model on a split's retain set.

    The smoke model is the original of smoke runs: it sees public data alone, so that its weights may be shown.
    """

    role: str  # "original" | "retrained" | "ceiling" | "smoke"
    split: str = ""
    index: int = 0

    @property
    def name(self) -> str:
        """A name that sorts and can be a file's."""
        return f"{self.split or 'all'}-{self.role}-{self.index:04d}"

    @property
    def seed(self) -> int:
        """The same for the same task on every machine, and unrelated between tasks."""
        return int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big")

    def result(self, results: Path) -> Path:
        """Where the finished model's outputs are; the file is there whole or not at all."""
        return results / f"{self.name}.npz"

    def to_line(self) -> str:
        """Return the task as one line of JSON."""
        return json.dumps(asdict(self))


class _WarmedUp(BaseException):
    """Leaves a training after its first epoch; no recipe that catches Exception can swallow it."""


def train_task(task: Task, recipe: Recipe, dataset: Dataset, results: Path) -> None:
    """Train one model and write its seconds and logits (and an original's weights). Raises InvalidCompetition."""
    images, labels = _training_set(task, dataset)
    _seed(task.seed)
    model = recipe.build_model()
    start = time.perf_counter()
    _train(recipe, model, images, labels, lambda _done, _total: None)
    arrays: dict[str, Any] = {"seconds": np.float64(time.perf_counter() - start)}
    for part in ("smoke",) if task.role == "smoke" else ("train", "test", "non_member"):
        arrays[f"{part}_logits"] = _finite_logits(model, dataset, part)
    if task.role in {"original", "smoke"}:
        arrays |= {STATE + key: value.numpy() for key, value in model.state_dict().items()}
    write_atomically(task.result(results), npz_bytes(arrays))


def warm_up(recipe: Recipe, dataset: Dataset) -> None:
    """Train for one epoch and throw it away, so that no measured second holds torch's lazy imports."""

    def leave(_done: int, _total: int) -> None:
        raise _WarmedUp

    images, labels = _training_set(Task("original"), dataset)
    with contextlib.suppress(_WarmedUp):
        _train(recipe, recipe.build_model(), images, labels, leave)


def _train(
    recipe: Recipe,
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    on_epoch: Callable[[int, int], None],
) -> None:
    try:
        recipe.train(model, images, labels, device="cpu", on_epoch=on_epoch)
    except Exception as error:
        raise InvalidCompetition(f"model.py: train() raised {told(error)}") from error


def _training_set(task: Task, dataset: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    part = "smoke" if task.role == "smoke" else "train"
    images, labels = dataset.arrays[f"{part}_images"], dataset.arrays[f"{part}_labels"]
    if task.role == "smoke":
        keep = dataset.smoke_train()
    else:
        keep = dataset.retain(task.split) if task.split else np.arange(len(images))
    return torch.from_numpy(images[keep]), torch.from_numpy(labels[keep])


def _finite_logits(model: nn.Module, dataset: Dataset, part: str) -> Any:
    images = torch.from_numpy(np.ascontiguousarray(dataset.arrays[f"{part}_images"]))
    logits = inference.logits(model, images, BATCH, "cpu")
    if not np.isfinite(logits).all():
        raise InvalidCompetition("model.py: a trained model's outputs hold NaN or infinity")
    return logits


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - a recipe may still draw from numpy's global generator
    torch.manual_seed(seed)


def _serve(folder: Path, results: Path, answers: TextIO) -> None:
    """Answer each task with one line: {"task": name} or {"error": words}."""
    recipe, dataset = (
        load_model_module(folder),
        check_dataset(load_arrays(folder), load_config(folder).batches),
    )
    warm = False
    for line in sys.stdin:
        task = Task(**json.loads(line))
        try:
            if not warm:
                warm_up(recipe, dataset)
                warm = True
            train_task(task, recipe, dataset, results)
            answer = {"task": task.name}
        except InvalidCompetition as error:
            answer = {"error": error.detail}
        print(json.dumps(answer), file=answers, flush=True)


def main() -> None:
    """Serve tasks; what the recipe prints goes to the log, so that answers stay readable."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    torch.set_num_threads(1)
    _serve(Path(sys.argv[1]), Path(sys.argv[2]), answers)


if __name__ == "__main__":
    main()
