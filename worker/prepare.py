"""Prepare a competition: train its models, resumably, and register an immutable reference for each split."""

import contextlib
import fcntl
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from sqlalchemy import Engine

from app import registry
from app.competitions import SPLITS, CompetitionConfig, load_config, load_pages
from app.db import unit_of_work
from app.errors import Conflict
from app.models import Reference
from app.settings import Settings
from app.storage import Storage
from worker.dataset import Dataset, check_dataset
from worker.material import SMOKE
from worker.recipe import check_model, load_arrays, load_model_module
from worker.reference import SplitReference, build, device, smoke_tasks, tasks_of, warnings_of
from worker.training import Trainers, cores

FORMAT = 1
"""Raised whenever a result of training is computed or stored in another way."""

UNTRAINED = frozenset({"competition.toml", "pages", "examples", "README.md", "__pycache__"})
"""What of a competition's folder has no part in training: changing it costs no retraining."""

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class PreparedSplit:
    """One split's reference as registered."""

    digest: str
    version: int
    n_models: int
    retrain_seconds: float
    facts: dict[str, Any]
    warnings: tuple[str, ...]  # why its scores may not separate methods


@dataclass(frozen=True)
class Prepared:
    """What a preparation came to; `trained` counts the models that this call trained itself."""

    slug: str
    trained: int
    splits: dict[str, PreparedSplit]


@dataclass(frozen=True)
class Checked:
    """A competition folder that passed every check that needs no training."""

    config: CompetitionConfig
    pages: dict[str, str]
    dataset: Dataset


def validate(folder: Path) -> Checked:
    """Check a competition's folder without training anything. Raises InvalidCompetition."""
    config, pages = load_config(folder), load_pages(folder)
    dataset = check_dataset(load_arrays(folder), config.batches)
    sample = torch.from_numpy(dataset.arrays["train_images"][:2])
    check_model(load_model_module(folder), sample, dataset.n_classes)
    return Checked(config, pages, dataset)


def prepare(
    folder: Path,
    *,
    settings: Settings,
    engine: Engine,
    storage: Storage,
    now: datetime,
    on_progress: OnProgress = lambda _split, _done, _total: None,
) -> Prepared:
    """Train what is not trained yet, then make the references of both splits current in one transaction.

    `on_progress(split, done, total)` is called in this thread, once at the start of a split and once a model.
    Interrupted at any moment, it loses at most the models in flight, and a second call goes on.
    Raises InvalidCompetition, PreparationFailed, or Conflict when another process is preparing the same folder.
    """
    checked = validate(folder)
    results = settings.data_dir / "prepare" / training_digest(folder)
    results.mkdir(parents=True, exist_ok=True)
    trained = 0
    with _alone(results), Trainers(folder, results, cores()) as trainers:
        for split in SPLITS:
            tasks = tasks_of(split, checked.config.evaluation.models) + smoke_tasks(split, checked.dataset)
            missing = [task for task in tasks if not task.result(results).exists()]
            trainers.train(missing, _counter(split, len(tasks) - len(missing), len(tasks), on_progress))
            trained += len(missing)
        stored = {}
        for split in SPLITS:  # only now: between its put and its commit, no blob is named by a row
            reference = build(split, folder, checked.config, checked.dataset, results)
            stored[split] = _store(split, checked.config, reference, storage)
        splits = _register(checked, stored, engine, now)
    return Prepared(checked.config.slug, trained, splits)


def training_digest(folder: Path) -> str:
    """Return what a trained model depends on, as one digest: the files that train it, torch, the processor."""
    digest = hashlib.sha256(f"{FORMAT} {torch.__version__} {device()}".encode())
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] not in UNTRAINED and "__pycache__" not in name.parts:
            digest.update(f"\n{name.as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()[:32]


def _counter(split: str, done: int, total: int, on_progress: OnProgress) -> Callable[[], None]:
    """Tell where a split starts, and return what to call after each model."""
    on_progress(split, done, total)
    counts = itertools.count(done + 1)
    return lambda: on_progress(split, next(counts), total)


@dataclass(frozen=True)
class _Stored:
    """A reference whose files are in the storage."""

    digest: str
    retrain_seconds: float
    facts: dict[str, Any]
    smoke: bool  # whether it holds public data for smoke runs


def _store(split: str, config: CompetitionConfig, reference: SplitReference, storage: Storage) -> _Stored:
    """Store a reference's files and its manifest, whose digest names it."""
    manifest = {
        "competition": config.slug,
        "split": split,
        "n_models": config.evaluation.models,
        "retrain_seconds": reference.retrain_seconds,
        "files": {path: storage.put(data) for path, data in reference.files.items()},
    }
    digest = storage.put(json.dumps(manifest, indent=1, sort_keys=True).encode())
    smoke = any(path.startswith(SMOKE) for path in reference.files)
    return _Stored(digest, reference.retrain_seconds, reference.facts, smoke)


def _register(
    checked: Checked, stored: Mapping[str, _Stored], engine: Engine, now: datetime
) -> dict[str, PreparedSplit]:
    """Add what is new and make it current: participants never meet one split's new reference with the other's old."""
    with unit_of_work(engine) as session:
        competition = registry.register(session, checked.config, checked.pages, now)
        rows = {
            split: registry.add_reference(
                session,
                competition,
                split,
                digest=one.digest,
                n_models=checked.config.evaluation.models,
                retrain_seconds=one.retrain_seconds,
                facts=one.facts,
                now=now,
                smoke=one.smoke,
            )
            for split, one in stored.items()
        }
        return {split: _prepared(row, checked.config) for split, row in rows.items()}


def _prepared(row: Reference, config: CompetitionConfig) -> PreparedSplit:
    cutoff = config.evaluation.cutoff_fraction * row.retrain_seconds
    warnings = tuple(warnings_of(row.facts, cutoff))
    return PreparedSplit(
        row.digest, row.version, row.n_models, row.retrain_seconds, dict(row.facts), warnings
    )


@contextlib.contextmanager
def _alone(results: Path) -> Iterator[None]:
    """Hold the folder's lock, which the kernel lets go when this process ends, however it ends."""
    with (results / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                "Another process is preparing this competition.", advice="Wait for it to end, or stop it."
            ) from error
        yield
