import json
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from app.competitions import load_config
from app.errors import NotFound
from app.storage import LocalStorage
from worker.dataset import check_dataset
from worker.files import npz_bytes, read_npz, write_atomically
from worker.material import fetch, sweep
from worker.recipe import load_arrays
from worker.reference import sandbox_arrays, sandbox_facts

TINY = Path(__file__).parents[1] / "fixtures" / "tiny"
FIELDS = {"image": "images", "image_id": "ids", "age_group": "labels", "age": "ages"}


@pytest.fixture
def storage(tmp_path):
    return LocalStorage(tmp_path / "blobs")


@pytest.fixture
def reference(storage):
    """The digest of a made-up reference."""
    files = {
        "sandbox/model.py": b"def build_model(): ...\n",
        "sandbox/original.npz": npz_bytes({"fc.weight": np.ones((2, 3), np.float32), "n": np.int64(7)}),
        "sandbox/material.npz": npz_bytes({"retain_labels": np.arange(3)}),
        "sandbox/material.json": b"{}",
        "hidden.npz": npz_bytes({"test_labels": np.arange(2)}),
        "outputs.npz": npz_bytes({"retrained_seconds": np.ones(4)}),
    }
    manifest = {"split": "public", "files": {path: storage.put(data) for path, data in files.items()}}
    return storage.put(json.dumps(manifest).encode())


def test_a_fetched_reference_gives_arrays_outputs_weights_and_layout(storage, reference, tmp_path):
    material = fetch(storage, reference, tmp_path / "cache")
    assert material.folder == tmp_path / "cache" / reference
    assert material.manifest["split"] == "public"
    assert set(material.arrays()) == {"retain_labels", "test_labels"}
    assert set(material.outputs()) == {"retrained_seconds"}
    assert material.original()["n"].item() == 7
    assert {name: (spec.dtype, spec.shape) for name, spec in material.layout().items()} == {
        "fc.weight": ("F32", (2, 3)),
        "n": ("I64", ()),
    }


def test_other_users_can_read_what_is_for_sandboxes_and_nothing_else(storage, reference, tmp_path):
    material = fetch(storage, reference, tmp_path / "cache")
    folders = [tmp_path / "cache", material.folder, material.sandbox]
    assert [mode(path) for path in folders] == [0o711, 0o711, 0o755]
    files = {path.relative_to(material.folder): mode(path) for path in material.folder.rglob("*.*")}
    assert len(files) == 7
    shared = {path for path, bits in files.items() if bits == 0o644}
    assert {path.parts[0] for path in shared} == {"sandbox"}
    assert {path.name: bits for path, bits in files.items() if path not in shared} == {
        "hidden.npz": 0o600,
        "outputs.npz": 0o600,
        "manifest.json": 0o600,
    }


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_fetching_again_asks_the_storage_for_nothing(storage, reference, tmp_path):
    first = fetch(storage, reference, tmp_path / "cache")
    assert fetch(LocalStorage(tmp_path / "empty"), reference, tmp_path / "cache") == first


def test_many_may_fetch_at_once_and_leave_one_whole_folder(storage, reference, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: fetch(storage, reference, tmp_path / "cache").arrays(), range(16)))
    assert all(set(arrays) == {"retain_labels", "test_labels"} for arrays in found)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [reference]


def test_what_a_dead_worker_left_half_fetched_is_swept_and_nothing_else(storage, reference, tmp_path):
    cache = tmp_path / "cache"
    fetch(storage, reference, cache)
    for name, age in ((".half-old", 7200), (".half-young", 60)):
        (cache / name).mkdir()
        (cache / name / "hidden.npz").write_bytes(b"x")
        os.utime(cache / name, (time.time() - age,) * 2)
    sweep(cache, datetime.now(UTC) - timedelta(hours=1))
    assert {path.name for path in cache.iterdir()} == {reference, ".half-young"}


def test_a_reference_that_is_not_there_leaves_nothing_behind(storage, tmp_path):
    with pytest.raises(NotFound):
        fetch(storage, "0" * 64, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_reference_with_a_missing_blob_leaves_nothing_behind(storage, tmp_path):
    digest = storage.put(json.dumps({"files": {"hidden.npz": "0" * 64}}).encode())
    with pytest.raises(NotFound):
        fetch(storage, digest, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.fixture
def dict_competition(tmp_path):
    """The tiny competition's configuration and data, with dict batches and ages beside the images."""
    text = (TINY / "competition.toml").read_text()
    lines = "".join(f'{name} = "{array}"\n' for name, array in FIELDS.items())
    (tmp_path / "competition.toml").write_text(f'{text}kind = "dict"\n[batches.fields]\n{lines}')
    config = load_config(tmp_path)
    arrays = load_arrays(TINY) | {"train_ages": np.arange(48) * 2, "val_ages": np.arange(16) * 3}
    return config, check_dataset(arrays, config.batches)


def test_material_json_tells_the_runner_how_to_make_dict_batches(dict_competition):
    assert sandbox_facts(*dict_competition) == {
        "entry_function": "unlearning",
        "batch_size": 16,
        "batch_kind": "dict",
        "fields": FIELDS,
        "n_classes": 4,
    }


@pytest.mark.parametrize("split", ["public", "private"])
def test_material_npz_holds_images_labels_ids_and_extras_of_what_may_be_seen(dict_competition, split):
    _, dataset = dict_competition
    arrays = sandbox_arrays(split, dataset)
    names = {
        f"{part}_{name}"
        for part in ("retain", "forget", "val")
        for name in ("images", "labels", "ids", "ages")
    }
    assert set(arrays) == names
    assert np.array_equal(arrays["forget_ids"], dataset.forget(split))
    for part in ("retain", "forget"):
        assert np.array_equal(arrays[f"{part}_ages"], arrays[f"{part}_ids"] * 2)
        assert np.array_equal(arrays[f"{part}_labels"], dataset.arrays["train_labels"][arrays[f"{part}_ids"]])
    assert not set(arrays["retain_ids"]) & set(arrays["forget_ids"])
    assert np.array_equal(arrays["val_ages"], np.arange(16) * 3)


def test_equal_arrays_give_equal_bytes_and_a_failed_write_leaves_no_file(tmp_path):
    arrays = {"a": np.arange(3), "b.c": np.float64(2)}
    assert npz_bytes(arrays) == npz_bytes(dict(arrays))
    write_atomically(tmp_path / "a.npz", npz_bytes(arrays))
    assert read_npz(tmp_path / "a.npz")["b.c"] == 2
    with pytest.raises(TypeError):
        write_atomically(tmp_path / "b.npz", "no bytes")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
