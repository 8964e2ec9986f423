import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.competitions import InvalidCompetition, load_config
from app.db import make_engine, migrate, read_only
from app.errors import Conflict
from app.models import Competition, Reference
from app.settings import Settings
from app.storage import LocalStorage
from tests.processes import wait_until
from worker.files import read_npz
from worker.material import fetch
from worker.prepare import prepare, training_digest, validate
from worker.reference import tasks_of, warnings_of
from worker.trainer import Task
from worker.training import PreparationFailed, Trainers

TINY = Path(__file__).parents[1] / "fixtures" / "tiny"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
SHARES = {"retain_accuracy", "forget_accuracy", "test_accuracy", "attack_auc"}


class Place:
    """A folder with a database, a storage and settings of its own."""

    def __init__(self, root):
        self.settings = Settings(data_dir=root)
        self.engine = make_engine(self.settings.url)
        self.storage = LocalStorage(root / "blobs")
        migrate(self.engine)

    def prepare(self, folder=TINY, on_progress=lambda *_: None):
        return prepare(
            folder,
            settings=self.settings,
            engine=self.engine,
            storage=self.storage,
            now=NOW,
            on_progress=on_progress,
        )

    def results(self, folder=TINY):
        return self.settings.data_dir / "prepare" / training_digest(folder)

    def current(self):
        with read_only(self.engine) as session:
            return {(row.split, row.digest) for row in session.scalars(select(Reference)) if row.current}

    def material(self, digest):
        return fetch(self.storage, digest, self.settings.data_dir / "cache")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A prepared tiny competition: (place, what prepare returned, the progress it told of)."""
    place, told = Place(tmp_path_factory.mktemp("prepared")), []
    return place, place.prepare(on_progress=lambda *seen: told.append(seen)), told


@pytest.fixture
def place(tmp_path):
    (tmp_path / "var").mkdir()
    return Place(tmp_path / "var")


@pytest.fixture
def folder(tmp_path):
    """A copy of the tiny competition to break."""
    return shutil.copytree(TINY, tmp_path / "tiny", ignore=shutil.ignore_patterns("__pycache__"))


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_both_splits_are_registered_with_their_references(prepared):
    place, result, _ = prepared
    with read_only(place.engine) as session:
        competition = session.scalars(select(Competition)).one()
        rows = {row.split: row for row in session.scalars(select(Reference))}
        assert competition.slug == result.slug == "tiny"
        assert set(competition.pages) == {"overview"}
    for split in ("public", "private"):
        row, reference = rows[split], result.splits[split]
        assert (row.digest, row.version, row.n_models) == (reference.digest, 1, 4)
        assert 0 < row.retrain_seconds < 60


def test_the_facts_tell_memorisation_and_what_retraining_scores(prepared):
    _, result, _ = prepared
    for reference in result.splits.values():
        facts = json.loads(json.dumps(reference.facts, allow_nan=False))
        assert set(facts["original"]) == set(facts["retrained"]) == SHARES
        assert set(facts["retraining"]) == {
            "score",
            "interval_low",
            "interval_high",
            "calibrated_score",
            "forgetting_quality",
            "retain_ratio",
            "test_ratio",
            "grader_version",
        }
        assert (facts["n_forget"], facts["n_retain"], facts["n_test"]) == (6, 42, 16)
        assert facts["device"].endswith(", 1 thread")


MEASURED = [  # attack AUCs of the original and of the retrained models, a run's cutoff, and a word of each warning
    (0.77, 0.51, 0.5, []),
    (0.7, 0.6, 9, []),
    (0.69, 0.4, 9, ["memorises"]),
    (0.9, 0.61, 9, ["never saw"]),
    (0.5, 0.39, 0.49, ["memorises", "never saw", "cut off after some 0.49 s"]),
]


@pytest.mark.parametrize(("original", "retrained", "cutoff", "words"), MEASURED)
def test_a_split_that_cannot_separate_methods_is_warned_of(original, retrained, cutoff, words):
    facts = {"original": {"attack_auc": original}, "retrained": {"attack_auc": retrained}}
    warnings = warnings_of(facts, cutoff)
    assert len(warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, warnings, strict=True))


def test_warnings_come_with_the_result(prepared):
    _, result, _ = prepared
    for reference in result.splits.values():
        cutoff = load_config(TINY).evaluation.cutoff_fraction * reference.retrain_seconds
        assert list(reference.warnings) == warnings_of(reference.facts, cutoff)


def test_both_splits_become_current_together_and_one_that_comes_back_is_current_again(place, folder):
    first = place.prepare(folder)
    seconds = {split: one.retrain_seconds for split, one in first.splits.items()}
    trained = place.results(folder)
    with (folder / "model.py").open("a") as model:
        model.write("# another file, so another reference\n")
    shutil.copytree(trained, place.results(folder))  # these comments change no training

    def interrupt(split, _done, _total):
        if split == "private":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.prepare(folder, interrupt)
    assert place.current() == {(split, one.digest) for split, one in first.splits.items()}
    second = place.prepare(folder)
    assert place.current() == {(split, one.digest) for split, one in second.splits.items()}
    assert not place.current() & {(split, one.digest) for split, one in first.splits.items()}
    assert {split: one.retrain_seconds for split, one in second.splits.items()} == seconds
    shutil.copy(TINY / "model.py", folder / "model.py")
    assert place.prepare(folder).splits == first.splits
    assert place.current() == {(split, one.digest) for split, one in first.splits.items()}


def test_a_reference_holds_what_sandbox_and_grader_need_and_keeps_the_rest_out_of_the_sandbox(prepared):
    place, result, _ = prepared
    reference = result.splits["public"]
    material = place.material(reference.digest)
    outputs, arrays = material.outputs(), material.arrays()
    for role in ("retrained", "ceiling"):
        assert outputs[f"{role}_forget_logits"].shape == (4, 6, 4)
        assert outputs[f"{role}_forget_logits"].dtype == np.float32
        for name in ("retain_accuracy", "test_accuracy", "seconds"):
            assert outputs[f"{role}_{name}"].shape == (4,)
    seconds = np.concatenate([outputs["retrained_seconds"], outputs["ceiling_seconds"]])
    assert reference.retrain_seconds == pytest.approx(np.median(seconds))
    assert arrays["retain_images"].shape == (42, 1, 8, 8)
    assert arrays["test_labels"].shape == (16,)
    inside = {path.name for path in material.sandbox.iterdir()}
    assert inside == {"model.py", "original.npz", "material.npz", "material.json"}
    assert not [name for name in read_npz(material.sandbox / "material.npz") if name.startswith("test")]
    assert material.layout()["bn1.num_batches_tracked"].dtype == "I64"


def test_splits_share_the_original_and_no_retrained_model(prepared):
    place, result, _ = prepared
    public, private = (place.material(result.splits[split].digest) for split in ("public", "private"))
    assert (
        public.manifest["files"]["sandbox/original.npz"] == private.manifest["files"]["sandbox/original.npz"]
    )
    models = [
        logits.tobytes()
        for material in (public, private)
        for role in ("retrained", "ceiling")
        for logits in material.outputs()[f"{role}_forget_logits"]
    ]
    assert len(set(models)) == 16


def test_progress_starts_at_none_and_counts_every_model_public_split_first(prepared):
    _, result, told = prepared
    public, private = ([seen[1:] for seen in told if seen[0] == split] for split in ("public", "private"))
    assert public == [(done, 9) for done in range(10)]
    assert private == [(done, 9) for done in range(1, 10)], "the original is trained already"
    assert [seen[0] for seen in told] == ["public"] * 10 + ["private"] * 9
    assert result.trained == 17


def test_preparing_again_trains_nothing_and_returns_the_same_references(prepared):
    place, result, _ = prepared
    again = place.prepare()
    assert again.trained == 0
    assert again.splits == result.splits
    with read_only(place.engine) as session:
        assert len(session.scalars(select(Reference)).all()) == 2


def test_a_model_that_is_trained_again_comes_out_the_same(prepared):
    place, _, _ = prepared
    lost = Task("retrained", "private", 2).result(place.results())
    before = read_npz(lost)
    lost.unlink()
    assert place.prepare().trained == 1
    after = read_npz(lost)
    assert np.array_equal(before["train_logits"], after["train_logits"])


def test_pages_and_limits_cost_no_retraining_but_the_recipe_does(folder):
    before = training_digest(folder)
    (folder / "pages" / "overview.md").write_text("# Another")
    edit(folder / "competition.toml", "per_day = 50", "per_day = 5")
    assert training_digest(folder) == before
    edit(folder / "model.py", "lr=0.1", "lr=0.2")
    assert training_digest(folder) != before


def test_ctrl_c_keeps_finished_models_and_ends_the_processes(place):
    def interrupt(_split, done, _total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.prepare(on_progress=interrupt)
    assert len(list(place.results().glob("*.npz"))) >= 3
    assert not training_processes(place.results())


def test_sigkill_loses_at_most_the_models_in_flight_and_leaves_no_process_training(place, folder):
    edit(folder / "model.py", "    epochs = 12\n", "    epochs = 12\n    import time; time.sleep(0.1)\n")
    results = place.results(folder)
    environment = {**os.environ, "LETHE_DATA_DIR": str(place.settings.data_dir)}
    command = [sys.executable, "-m", "cli.main", "competition", "prepare", str(folder)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(list(results.glob("*.npz"))) >= 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not training_processes(results))
    kept = {path: path.stat().st_mtime_ns for path in results.glob("*.npz")}
    assert 2 <= len(kept) < 17
    assert place.prepare(folder).trained == 17 - len(kept)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def training_processes(results):
    commands = [command_of(folder) for folder in Path("/proc").glob("[0-9]*")]
    return [command for command in commands if str(results).encode() in command]


def command_of(folder):
    try:
        return (folder / "cmdline").read_bytes()
    except OSError:
        return b""  # it has ended meanwhile


def test_two_preparations_of_one_folder_do_not_meet(place):
    place.results().mkdir(parents=True)
    with (place.results() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Conflict, match="Another process is preparing"):
            place.prepare()


def test_a_recipe_that_raises_is_told_in_one_line(place, folder):
    edit(folder / "model.py", "    epochs = 12\n", "    raise RuntimeError('no such optimiser')\n")
    with pytest.raises(InvalidCompetition, match=r"train\(\) raised RuntimeError: no such optimiser"):
        place.prepare(folder)


def test_a_model_that_diverges_is_refused(place, folder):
    edit(
        folder / "model.py",
        "        on_epoch",
        "        model.fc.bias.data.fill_(float('nan'))\n        on_epoch",
    )
    with pytest.raises(InvalidCompetition, match="outputs hold NaN or infinity"):
        place.prepare(folder)


def test_a_training_process_that_dies_is_not_the_competitions_fault(place, folder):
    edit(folder / "model.py", "    epochs = 12\n", "    print('so long'); import os; os._exit(7)\n")
    results = place.settings.data_dir
    with Trainers(folder, results, 1) as trainers, pytest.raises(PreparationFailed, match="exit code 7"):
        trainers.train(tasks_of("public", 4), lambda: None)


def test_a_broken_folder_is_refused_before_any_training(place, folder):
    edit(folder / "data.py", "np.arange(6, 12)", "np.arange(6, 90)")
    for attempt in (validate, place.prepare):
        with pytest.raises(InvalidCompetition, match="forget_private holds indices from 6 to 89"):
            attempt(folder)
    assert not (place.settings.data_dir / "prepare").exists()
