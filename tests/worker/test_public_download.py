"""What can be downloaded of a competition that was really prepared holds no hidden image, label, index or digest."""

import hashlib
import io
import json

import numpy as np
import pytest
from starlette.testclient import TestClient

from app.db import read_only
from app.main import create_app
from app.models import Reference
from app.settings import Settings
from app.storage import LocalStorage
from tests.smoky import make_smoky
from tests.worker.bench import prepare_into
from worker.recipe import load_arrays


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A prepared competition with public data, and everything that its service gives of it to a stranger."""
    folder = tmp_path_factory.mktemp("site")
    competition = make_smoky(folder)
    data = prepare_into(folder / "var", competition)
    with TestClient(create_app(Settings(data_dir=data))) as client:
        listed = client.get("/api/v1/competitions/tiny/data")
        files = {one["name"]: client.get(one["url"]).content for one in listed.json()["files"]}
        page = client.get("/competitions/tiny").text
        yield client, competition, listed.text, files, page


@pytest.fixture(scope="module")
def references(site):
    """The manifest of each split by its digest."""
    client = site[0]
    context = client.app.state.context
    with read_only(context.engine) as session:
        digests = [row.digest for row in session.query(Reference)]
    storage = LocalStorage(context.settings.data_dir / "blobs")
    return {digest: json.loads(storage.get(digest)) for digest in digests}


def read(data):
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_the_files_hold_the_public_images_and_no_hidden_one(site):
    _, competition, _, files, _ = site
    hidden, given = load_arrays(competition), read(files["material.npz"])
    images = {one.tobytes() for name, array in given.items() if name.endswith("_images") for one in array}
    assert images == {one.tobytes() for one in hidden["smoke_images"]}
    for part in ("train", "val", "test"):
        for one in hidden[f"{part}_images"]:
            assert one.tobytes() not in images
            assert all(one.tobytes() not in data for data in files.values())


def test_labels_and_ids_are_those_of_the_public_images_alone(site):
    _, competition, _, files, _ = site
    arrays, given = load_arrays(competition), read(files["material.npz"])
    assert given["forget_ids"].tolist() == arrays["smoke_forget"].tolist()
    assert given["val_ids"].tolist() == arrays["smoke_val"].tolist()
    for part in ("retain", "forget", "val"):
        assert np.array_equal(given[f"{part}_labels"], arrays["smoke_labels"][given[f"{part}_ids"]])
    described = json.loads(files["material.json"])
    assert set(described) == {"entry_function", "batch_size", "batch_kind", "fields", "n_classes"}
    assert set(read(files["original.npz"])) == {"conv1.weight", "fc.weight", "fc.bias"} | {
        f"bn1.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    }


def test_no_other_blob_of_either_split_can_be_had(site, references):
    client, _, listed, files, page = site
    public = {hashlib.sha256(data).hexdigest() for data in files.values()}
    assert len(references) == 2
    hidden = {digest for manifest in references.values() for digest in manifest["files"].values()} - public
    assert len(hidden) == 6, "images and outputs of each split; both have one original and one test set"
    for digest in hidden | set(references):
        assert client.get(f"/api/v1/competitions/tiny/data/{digest}").status_code == 404
        assert digest in references or (digest not in listed and digest not in page)
