"""Public data for smoke runs: what an organiser may give, and that nothing hidden gets near it."""

from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import select

from app.competitions import Batches, InvalidCompetition
from app.db import make_engine, migrate, read_only
from app.models import Reference
from app.settings import Settings
from app.storage import LocalStorage
from tests.smoky import TINY, make_smoky
from worker.dataset import check_dataset
from worker.files import read_npz
from worker.material import fetch
from worker.prepare import prepare
from worker.recipe import load_arrays, load_model_module
from worker.trainer import Task, train_task

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NAMES = {"model.py", "original.npz", "material.npz", "material.json"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_smoky(tmp_path_factory.mktemp("smoky"))


@pytest.fixture
def arrays(folder):
    return load_arrays(folder)


def refusal(arrays, **changes):
    given = {name: value for name, value in {**arrays, **changes}.items() if value is not None}
    with pytest.raises(InvalidCompetition) as raised:
        check_dataset(given, Batches())
    return raised.value.detail


def test_the_parts_of_public_data_fit_together(arrays):
    dataset = check_dataset(arrays, Batches())
    parts = {part: dataset.smoke_part(part).tolist() for part in ("retain", "forget", "val")}
    assert parts == {"retain": list(range(8, 24)), "forget": [0, 1, 2, 3], "val": [4, 5, 6, 7]}
    assert dataset.smoke_train().tolist() == [0, 1, 2, 3, *range(8, 24)]
    assert dataset.arrays["smoke_ids"].tolist() == list(range(24))
    assert not check_dataset(load_arrays(TINY), Batches()).has_smoke


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("smoke_images", None, "load() gives no smoke_images"),
        ("smoke_labels", None, "load() gives no smoke_labels"),
        ("smoke_val", None, "load() gives no smoke_val"),
        ("smoke_forget", np.array([], np.int64), "smoke_forget is empty"),
        ("smoke_forget", np.array([0, 24]), "smoke_forget holds indices from 0 to 24; smoke has 0 to 23"),
        ("smoke_forget", np.array([3, 4, 5]), "smoke_forget and smoke_val share 2 indices"),
        (
            "smoke_forget",
            np.array([0, 8, 12, 16, 20]),
            "class [0] is missing from what smoke_forget and smoke_val",
        ),
        ("smoke_labels", np.full(24, 4), "smoke_labels holds a class that train_labels does not"),
        ("smoke_images", np.zeros((24, 1, 9, 9), np.float32), "smoke_images hold images of shape [1, 9, 9]"),
        ("smoke_ids", np.arange(3), "smoke_ids must hold 24 numbers"),
    ],
)
def test_wrong_public_arrays_are_refused_by_name(arrays, name, value, words):
    assert words in refusal(arrays, **{name: value})


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_public_image_that_is_hidden_elsewhere_is_refused(arrays, part):
    leaked = arrays["smoke_images"].copy()
    leaked[5] = arrays[f"{part}_images"][9]
    assert f"smoke_images holds 1 images of {part}_images" in refusal(arrays, smoke_images=leaked)


def test_an_extra_array_that_batches_name_must_be_there_for_public_data_too(arrays):
    batches = Batches(kind="dict", fields={"image": "images", "y": "labels", "age": "ages"})
    given = {**arrays, "train_ages": np.arange(48), "val_ages": np.arange(16)}
    with pytest.raises(InvalidCompetition, match="load\\(\\) gives no smoke_ages"):
        check_dataset(given, batches)
    assert check_dataset({**given, "smoke_ages": np.arange(24)}, batches).has_smoke


@pytest.fixture(scope="module")
def prepared(folder, tmp_path_factory):
    """(references by split, material by split, number of models trained) of the tiny competition with public data."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("var"))
    storage = LocalStorage(settings.data_dir / "blobs")
    engine = make_engine(settings.url)
    migrate(engine)
    result = prepare(folder, settings=settings, engine=engine, storage=storage, now=NOW)
    with read_only(engine) as session:
        rows = {row.split: row for row in session.scalars(select(Reference))}
        session.expunge_all()
    material = {split: fetch(storage, row.digest, settings.data_dir / "cache") for split, row in rows.items()}
    return rows, material, result.trained


def test_one_more_model_is_trained_and_the_public_reference_alone_has_public_data(prepared):
    rows, material, trained = prepared
    assert trained == 18
    assert {split: row.smoke for split, row in rows.items()} == {"public": True, "private": False}
    hidden = {f"sandbox/{name}" for name in NAMES} | {"hidden.npz", "outputs.npz"}
    assert set(material["private"].manifest["files"]) == hidden
    assert set(material["public"].manifest["files"]) == hidden | {f"smoke/{name}" for name in NAMES}
    assert {path.name for path in material["public"].smoke.iterdir()} == NAMES


def test_other_users_can_read_public_data_as_they_can_what_is_for_sandboxes(prepared):
    _, material, _ = prepared
    folder = material["public"].smoke
    assert folder.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}


def test_what_smoke_runs_see_holds_no_hidden_image(prepared, arrays):
    _, material, _ = prepared
    public = read_npz(material["public"].smoke / "material.npz")
    assert set(public) == {
        f"{part}_{name}" for part in ("retain", "forget", "val") for name in ("images", "labels", "ids")
    }
    shown = np.concatenate([public[f"{part}_images"] for part in ("forget", "val", "retain")])
    assert np.array_equal(shown, arrays["smoke_images"])
    assert np.array_equal(public["retain_labels"], arrays["smoke_labels"][8:])


def test_the_original_of_smoke_runs_depends_on_public_data_alone(prepared, arrays, folder, tmp_path):
    _, material, _ = prepared
    shown = read_npz(material["public"].smoke / "original.npz")
    hidden = material["public"].original()
    assert any(not np.array_equal(shown[key], hidden[key].numpy()) for key in hidden)
    other = {name: value.copy() for name, value in arrays.items()}
    for part in ("train", "val", "test"):
        other[f"{part}_images"] += 1.0
    train_task(Task("smoke"), load_model_module(folder), check_dataset(other, Batches()), tmp_path)
    again = read_npz(Task("smoke").result(tmp_path))
    assert {name for name in again if name.endswith("_logits")} == {"smoke_logits"}
    for key, value in shown.items():
        assert np.allclose(again[f"state.{key}"], value, atol=1e-5), key
