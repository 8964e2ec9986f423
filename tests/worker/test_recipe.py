from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from app.competitions import Batches, InvalidCompetition
from worker.dataset import check_dataset
from worker.recipe import Recipe, check_model, load_arrays, load_model_module

TINY = Path(__file__).parents[1] / "fixtures" / "tiny"
DIGITS = Path(__file__).parents[2] / "competitions" / "digits"


@pytest.fixture
def arrays():
    return load_arrays(TINY)


def refusal(arrays, **changes):
    with pytest.raises(InvalidCompetition) as raised:
        check_dataset({**arrays, **changes}, Batches())
    return raised.value.detail


def test_the_tiny_competition_passes_and_its_sets_fit_together(arrays):
    dataset = check_dataset(arrays, Batches())
    assert dataset.n_classes == 4
    for split in ("public", "private"):
        kept, forgotten = set(dataset.retain(split).tolist()), set(dataset.forget(split).tolist())
        assert kept.isdisjoint(forgotten)
        assert kept | forgotten == set(range(48))


def test_ids_and_non_members_are_filled_in_where_data_gives_none(arrays):
    dataset = check_dataset(arrays, Batches())
    assert dataset.arrays["train_ids"].tolist() == list(range(48))
    assert dataset.arrays["val_ids"].tolist() == list(range(48, 64))
    assert dataset.arrays["non_member_labels"] is arrays["test_labels"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("train_images", None, "load() gives no train_images"),
        ("train_images", [[1.0]], "train_images is list, not a numpy array"),
        ("train_images", np.zeros((48, 1, 8, 8)), "train_images must be float32, not float64"),
        ("train_images", np.zeros(48, np.float32), "train_images must have the shape [n, ...]"),
        ("train_images", np.full((48, 1, 8, 8), np.nan, np.float32), "train_images holds NaN"),
        ("val_images", np.zeros((16, 3, 8, 8), np.float32), "val_images hold images of shape [3, 8, 8]"),
        ("val_images", np.zeros((0, 1, 8, 8), np.float32), "val_images is empty"),
        ("test_labels", np.zeros(15, np.int64), "test_labels must have the shape [16]"),
        ("test_labels", np.zeros(16, np.int32), "test_labels must be int64, not int32"),
        ("test_labels", np.full(16, 4), "test_labels holds a class that train_labels does not"),
        ("test_labels", np.full(16, -1), "test_labels holds a negative class number"),
        ("val_ids", np.arange(3), "val_ids must hold 16 numbers"),
        ("forget_public", np.array([], np.int64), "forget_public is empty"),
        ("forget_public", np.array([0, 48]), "forget_public holds indices from 0 to 48; train has 0 to 47"),
        ("forget_public", np.array([-1]), "forget_public holds indices from -1 to -1"),
        ("forget_private", np.array([3, 3]), "forget_private holds an index twice"),
        ("forget_private", np.array([0.5]), "forget_private must be a row of indices"),
        (
            "forget_private",
            np.arange(2, 48, 4),
            "class [2] is missing from the retain set that forget_private",
        ),
        ("non_member_labels", np.zeros(3, np.int64), "load() gives no non_member_images"),
    ],
)
def test_wrong_arrays_are_refused_by_name(arrays, name, value, words):
    assert words in refusal(arrays, **{name: value})


def test_an_extra_array_that_batches_name_must_be_there_for_training_and_validation(arrays):
    batches = Batches(kind="dict", fields={"image": "images", "y": "labels", "age": "ages"})
    with pytest.raises(InvalidCompetition, match="load\\(\\) gives no train_ages"):
        check_dataset(arrays, batches)
    with pytest.raises(InvalidCompetition, match="load\\(\\) gives no val_ages"):
        check_dataset({**arrays, "train_ages": np.arange(48)}, batches)
    dataset = check_dataset({**arrays, "train_ages": np.arange(48), "val_ages": np.arange(16)}, batches)
    assert dataset.extras == ("ages",)


def write(folder, name, text):
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def train(model, images, labels, *, device, on_epoch): ...", "defines no function build_model()"),
        ("def build_model(): ...", "defines no function train()"),
        ("def build_model(): ...\ndef train(model, images): ...", "train() does not take the arguments"),
        ("def build_model(width): ...", "build_model() does not take the arguments"),
        ("import nowhere_to_be_found", "importing it raised ModuleNotFoundError"),
        ("def build_model(:", "importing it raised SyntaxError"),
    ],
)
def test_a_model_file_without_its_functions_is_refused(tmp_path, text, words):
    with pytest.raises(InvalidCompetition) as raised:
        load_model_module(write(tmp_path, "model.py", text))
    assert words in raised.value.detail
    assert "model.py" in raised.value.detail
    assert "\n" not in raised.value.detail


def test_missing_files_and_a_raising_load_are_named(tmp_path):
    with pytest.raises(InvalidCompetition, match=r"model\.py is missing"):
        load_model_module(tmp_path)
    with pytest.raises(InvalidCompetition, match=r"load\(\) raised KeyError"):
        load_arrays(write(tmp_path, "data.py", "def load():\n    return {}['gone']"))
    with pytest.raises(InvalidCompetition, match=r"load\(\) returned list"):
        load_arrays(write(tmp_path, "data.py", "def load():\n    return []"))


def test_two_folders_do_not_share_a_module(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, number in ((first, 1), (second, 2)):
        folder.mkdir()
        write(folder, "data.py", f"def load():\n    return {{'number': {number}}}")
    assert (load_arrays(first), load_arrays(second)) == ({"number": 1}, {"number": 2})


class OddBuffer(nn.Linear):
    def __init__(self):
        super().__init__(64, 4)
        self.register_buffer("odd", torch.zeros(1, dtype=torch.complex64))

    def forward(self, x):
        return super().forward(x.flatten(1))


@pytest.mark.parametrize(
    ("build_model", "words"),
    [
        (OddBuffer, "odd of the state dict is torch.complex64"),
        (nn.Flatten, r"logits of shape \(2, 4\), not \(2, 64\)"),
        (lambda: nn.Linear(3, 4), "building the model and calling it raised RuntimeError"),
    ],
)
def test_a_model_that_cannot_be_graded_is_refused(build_model, words):
    with pytest.raises(InvalidCompetition, match=words):
        check_model(Recipe(build_model, lambda *_, **__: None), torch.zeros(2, 1, 8, 8), 4)


def test_the_digits_model_has_the_names_that_published_methods_reach_for():
    model = load_model_module(DIGITS).build_model()
    named = dict(model.named_modules())
    blocks = [
        f"layer{stage}.{block}.{part}"
        for stage in (1, 2, 3, 4)
        for block in (0, 1)
        for part in ("conv1", "bn2")
    ]
    assert {"conv1", "bn1", "maxpool", "avgpool", "fc", "layer2.0.downsample.0", *blocks} <= set(named)
    assert model(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_the_digits_have_the_noise_and_the_forget_sets_that_their_page_tells_of():
    arrays = load_arrays(DIGITS)
    dataset = check_dataset(arrays, Batches())
    assert [len(arrays[f"{part}_labels"]) for part in ("train", "val", "test")] == [600, 200, 847]
    assert len(np.unique(np.concatenate([arrays["forget_public"], arrays["forget_private"]]))) == 120
    true = load_true_labels(arrays["train_images"])
    for part in (arrays["forget_public"], arrays["forget_private"], np.arange(600)):
        assert (true[part] != arrays["train_labels"][part]).mean() == pytest.approx(0.3)
    assert [len(dataset.smoke_part(part)) for part in ("retain", "forget", "val")] == [100, 15, 35]
    public = load_true_labels(arrays["smoke_images"])
    assert (public != arrays["smoke_labels"]).sum() == round(0.3 * 15) + round(0.3 * 100)
    assert (arrays["non_member_labels"] != arrays["test_labels"]).mean() == pytest.approx(0.3, abs=0.001)
    assert arrays["train_images"].min() == 0
    assert arrays["train_images"].max() == 1
    assert dataset.n_classes == 10


def load_true_labels(images):
    digits = load_digits()
    known = {
        image.astype(np.float32).tobytes(): label
        for image, label in zip(digits.images, digits.target, strict=True)
    }
    return np.array([known[(image[0] * 16).tobytes()] for image in images])
