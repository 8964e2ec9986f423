"""From the results of training to a split's reference: its files, and the facts that the pages show."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import grader
from app.competitions import SPLITS, CompetitionConfig
from grader import inference, membership, report
from grader.confidence import confidence
from worker.dataset import Dataset
from worker.files import npz_bytes, read_npz
from worker.fingerprint import processor
from worker.graded import reference_outputs
from worker.trainer import STATE, Task

Numbers = dict[str, NDArray[Any]]

LEAST_ATTACK_AUC = 0.7
"""Of the original: below it, there is too little to forget for scores to differ."""
MOST_RETRAINED_BIAS = 0.1
LEAST_CUTOFF_SECONDS = 0.5
"""Of the retrained models' attack AUC from 0.5, where the forget set is like data that no model saw."""


@dataclass(frozen=True)
class SplitReference:
    """A split's reference before it is stored: path -> bytes, the median retraining, and its facts."""

    files: dict[str, bytes]
    retrain_seconds: float
    facts: dict[str, Any]


def tasks_of(split: str, n_models: int) -> list[Task]:
    """Return a split's models to train: the original first, then N references, then N for the ceiling."""
    retrained = [Task(role, split, index) for role in ("retrained", "ceiling") for index in range(n_models)]
    return [Task("original"), *retrained]


def smoke_tasks(split: str, dataset: Dataset) -> list[Task]:
    """Return what smoke runs need trained: with the public split one model, on the public data alone, if there is any."""
    return [Task("smoke")] if split == SPLITS[0] and dataset.has_smoke else []


def build(
    split: str, folder: Path, config: CompetitionConfig, dataset: Dataset, results: Path
) -> SplitReference:
    """Return the split's reference from finished results. It depends on nothing else, so its bytes repeat."""
    original, *retrained = [
        read_npz(task.result(results)) for task in tasks_of(split, config.evaluation.models)
    ]
    half = len(retrained) // 2
    groups = {"retrained": retrained[:half], "ceiling": retrained[half:]}
    outputs = {
        f"{role}_{name}": array
        for role, models in groups.items()
        for name, array in _outputs(models, split, dataset).items()
    }
    hidden = {f"test_{kind}": dataset.arrays[f"test_{kind}"] for kind in ("images", "labels")}
    common = _common_files(folder, config, dataset)
    files = {
        **_seen("sandbox", common, original, sandbox_arrays(split, dataset)),
        "hidden.npz": npz_bytes(hidden),
        "outputs.npz": npz_bytes(outputs),
    }
    for task in smoke_tasks(split, dataset):
        files |= _seen("smoke", common, read_npz(task.result(results)), smoke_arrays(dataset))
    seconds = statistics.median(float(model["seconds"]) for model in retrained)
    return SplitReference(files, seconds, _facts(split, dataset, original, retrained, outputs))


def _common_files(folder: Path, config: CompetitionConfig, dataset: Dataset) -> dict[str, bytes]:
    facts = json.dumps(sandbox_facts(config, dataset), indent=1, sort_keys=True)
    return {"model.py": (folder / "model.py").read_bytes(), "material.json": facts.encode()}


def _seen(folder: str, common: Mapping[str, bytes], model: Numbers, arrays: Numbers) -> dict[str, bytes]:
    """Return by path what a sandbox sees: what is common to all, a model's weights, and the data."""
    state = {key.removeprefix(STATE): value for key, value in model.items() if key.startswith(STATE)}
    files = {**common, "original.npz": npz_bytes(state), "material.npz": npz_bytes(arrays)}
    return {f"{folder}/{name}": data for name, data in files.items()}


def sandbox_arrays(split: str, dataset: Dataset) -> Numbers:
    """Return everything of a split's data that a participant's code may see."""
    arrays: Numbers = {}
    parts = (("retain", "train", dataset.retain(split)), ("forget", "train", dataset.forget(split)))
    for name in ("images", "labels", "ids", *dataset.extras):
        for part, source, indices in parts:
            arrays[f"{part}_{name}"] = dataset.arrays[f"{source}_{name}"][indices]
        arrays[f"val_{name}"] = dataset.arrays[f"val_{name}"]
    return arrays


def smoke_arrays(dataset: Dataset) -> Numbers:
    """Return the public data under the same names; nothing else is within reach of a run whose log is shown."""
    return {
        f"{part}_{name}": dataset.arrays[f"smoke_{name}"][dataset.smoke_part(part)]
        for name in ("images", "labels", "ids", *dataset.extras)
        for part in ("retain", "forget", "val")
    }


def sandbox_facts(config: CompetitionConfig, dataset: Dataset) -> dict[str, Any]:
    """Return material.json: how the runner makes loaders and which function it calls."""
    return {
        "entry_function": config.entry_function,
        "batch_size": config.batches.size,
        "batch_kind": config.batches.kind,
        "fields": config.batches.fields,
        "n_classes": dataset.n_classes,
    }


def retraining_row(outputs: Numbers, labels: NDArray[Any]) -> dict[str, Any]:
    """Return what retraining itself scores, the ceiling's models against the reference's, and under which grader.

    Its calibrated score is 1 by definition, unless retraining has no points that others could be measured by.
    """
    graded = report.grade(
        *(replace(reference_outputs(outputs, role, labels), logits=None) for role in ("ceiling", "retrained"))
    ).to_dict()
    official, uncertainty = graded["official"], graded["uncertainty"] or {}
    interval = uncertainty.get("score") or {"low": None, "high": None}
    return {
        **{key: official[key] for key in ("score", "forgetting_quality", "retain_ratio", "test_ratio")},
        "interval_low": interval["low"],
        "interval_high": interval["high"],
        "calibrated_score": 1.0 if official["forgetting_quality"] else None,
        "grader_version": grader.VERSION,
    }


def warnings_of(facts: Mapping[str, Any], cutoff_seconds: float) -> Sequence[str]:
    """Return why a split's scores may not separate methods, in words: facts as `build` measured them."""
    original, retrained = (facts[who]["attack_auc"] for who in ("original", "retrained"))
    found = []
    if original < LEAST_ATTACK_AUC:
        found.append(
            f"the original hardly memorises its forget set (attack AUC {original:.2f}, below {LEAST_ATTACK_AUC}): "
            "doing nothing scores almost like unlearning; train for longer, or make the labels noisier"
        )
    if abs(retrained - 0.5) > MOST_RETRAINED_BIAS:
        found.append(
            f"models that never saw the forget set tell it from other data (attack AUC {retrained:.2f}, not within "
            f"0.5 +- {MOST_RETRAINED_BIAS}): give non-members of the forget set's kind"
        )
    if cutoff_seconds < LEAST_CUTOFF_SECONDS:
        found.append(
            f"a run is cut off after some {cutoff_seconds:.2f} s: below {LEAST_CUTOFF_SECONDS} s much of that goes by before code "
            "begins, and a busy machine decides; raise evaluation.cutoff_fraction, or train for longer"
        )
    return found


def device() -> str:
    """Name the processor that the seconds were taken on, and the threads of one training."""
    return f"{processor()}, 1 thread"


def _outputs(models: Sequence[Numbers], split: str, dataset: Dataset) -> Numbers:
    """Return logits on the forget set float32 [N, S, C], accuracies [N] and seconds [N]."""
    forget = dataset.forget(split)
    return {
        "forget_logits": np.stack([model["train_logits"][forget] for model in models]),
        "retain_accuracy": np.array(
            [_accuracy(model, "train", dataset, dataset.retain(split)) for model in models]
        ),
        "test_accuracy": np.array([_accuracy(model, "test", dataset) for model in models]),
        "seconds": np.array([float(model["seconds"]) for model in models]),
    }


def _accuracy(model: Numbers, part: str, dataset: Dataset, among: Any = slice(None)) -> float:
    return inference.accuracy(model[f"{part}_logits"][among], dataset.arrays[f"{part}_labels"][among])


def _facts(
    split: str, dataset: Dataset, original: Numbers, retrained: Sequence[Numbers], outputs: Numbers
) -> dict[str, Any]:
    """Return the memorisation of the original beside the mean over all retrained models, and the ceiling."""
    labels = dataset.arrays["train_labels"][dataset.forget(split)]
    measured = [_memorisation(model, split, dataset) for model in retrained]
    return {
        "original": _memorisation(original, split, dataset),
        "retrained": {key: statistics.fmean(one[key] for one in measured) for key in measured[0]},
        "retraining": retraining_row(outputs, labels),
        "n_forget": len(labels),
        "n_retain": len(dataset.retain(split)),
        "n_test": len(dataset.arrays["test_labels"]),
        "device": device(),
    }


def _memorisation(model: Numbers, split: str, dataset: Dataset) -> dict[str, float]:
    """Return accuracies, and how well the confidence in the given label parts forget set and non-members."""
    forget = dataset.forget(split)
    members = confidence(model["train_logits"][forget], dataset.arrays["train_labels"][forget])
    others = confidence(model["non_member_logits"], dataset.arrays["non_member_labels"])
    return {
        "retain_accuracy": _accuracy(model, "train", dataset, dataset.retain(split)),
        "forget_accuracy": _accuracy(model, "train", dataset, forget),
        "test_accuracy": _accuracy(model, "test", dataset),
        "attack_auc": membership.auc(members, others),
    }
