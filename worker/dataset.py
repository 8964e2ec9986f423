"""An organiser's arrays, checked: whoever holds a Dataset can rely on its shapes, types and forget sets."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.competitions import SPLITS, Batches, InvalidCompetition

STANDARD_FIELDS = frozenset({"images", "labels", "ids"})

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Dataset:
    """Checked arrays of data.py.

    {train,val,test,non_member}_images are float32 [n, ...], *_labels int64 [n]; train_ids and val_ids and the
    extra arrays that batches name have one entry per image; forget_{public,private} index into train. With public
    data for smoke runs there are also smoke_{images,labels,ids} and extras, and smoke_{forget,val}, indices into them.
    """

    arrays: Arrays
    extras: tuple[str, ...]
    n_classes: int

    def forget(self, split: str) -> NDArray[np.generic]:
        """Return the split's forget set as indices into train."""
        return self.arrays[f"forget_{split}"]

    def retain(self, split: str) -> NDArray[np.generic]:
        """Return everything in train but the split's forget set, in order."""
        return np.setdiff1d(np.arange(len(self.arrays["train_images"])), self.forget(split))

    @property
    def has_smoke(self) -> bool:
        """Whether the organiser gives public data, on which what a participant's code prints may be shown."""
        return "smoke_images" in self.arrays

    def smoke_part(self, part: str) -> NDArray[np.generic]:
        """Return "forget", "val" or "retain" (what is neither) of the public data, as indices into smoke."""
        if part != "retain":
            return self.arrays[f"smoke_{part}"]
        taken = np.concatenate([self.arrays["smoke_forget"], self.arrays["smoke_val"]])
        return np.setdiff1d(np.arange(len(self.arrays["smoke_images"])), taken)

    def smoke_train(self) -> NDArray[np.generic]:
        """Return what the smoke run's original model is trained on: all of the public data but its validation set."""
        return np.setdiff1d(np.arange(len(self.arrays["smoke_images"])), self.arrays["smoke_val"])


def check_dataset(raw: Mapping[str, Any], batches: Batches) -> Dataset:
    """Return the arrays as a Dataset. Raises InvalidCompetition naming the array and what it must be."""
    arrays = dict(raw)
    for part in ("train", "val", "test"):
        _check_part(arrays, part, arrays.get("train_images"))
    if "non_member_images" in arrays or "non_member_labels" in arrays:
        _check_part(arrays, "non_member", arrays["train_images"])
    else:
        arrays |= {f"non_member_{kind}": arrays[f"test_{kind}"] for kind in ("images", "labels")}
    if any(name.startswith("smoke_") for name in arrays):
        _check_part(arrays, "smoke", arrays["train_images"])
    extras = _check_extras(arrays, batches)
    n_classes = int(arrays["train_labels"].max()) + 1
    for part in ("val", "test", "non_member", *(["smoke"] if "smoke_labels" in arrays else [])):
        _require(
            arrays[f"{part}_labels"].max() < n_classes,
            f"{part}_labels holds a class that train_labels does not",
        )
    dataset = Dataset(arrays, extras, n_classes)
    for split in SPLITS:
        _check_indices(arrays, f"forget_{split}", "train")
        _check_classes(dataset, "train", dataset.retain(split), f"the retain set that forget_{split} leaves")
    if dataset.has_smoke:
        _check_smoke(dataset)
    return dataset


def _check_part(arrays: Mapping[str, Any], part: str, like: Any) -> None:
    images = _array(arrays, f"{part}_images", np.float32)
    labels = _array(arrays, f"{part}_labels", np.int64)
    _require(images.ndim >= 2, f"{part}_images must have the shape [n, ...], not {list(images.shape)}")
    _require(
        images.shape[1:] == like.shape[1:],
        f"{part}_images hold images of shape {list(images.shape[1:])}, train_images of {list(like.shape[1:])}",
    )
    _require(len(images) > 0, f"{part}_images is empty")
    _require(
        labels.shape == (len(images),),
        f"{part}_labels must have the shape [{len(images)}], one label per image, not {list(labels.shape)}",
    )
    _require(bool(np.isfinite(images).all()), f"{part}_images holds NaN or infinity")
    _require(int(labels.min()) >= 0, f"{part}_labels holds a negative class number")


def _check_extras(arrays: dict[str, Any], batches: Batches) -> tuple[str, ...]:
    """Fill in ids where data.py gives none, and check every array that batches name."""
    n_train, n_val = len(arrays["train_images"]), len(arrays["val_images"])
    arrays.setdefault("train_ids", np.arange(n_train))
    arrays.setdefault("val_ids", np.arange(n_train, n_train + n_val))
    extras = tuple(sorted(set(batches.fields.values()) - STANDARD_FIELDS))
    lengths = {"train": n_train, "val": n_val}
    if "smoke_images" in arrays:
        lengths["smoke"] = len(arrays["smoke_images"])
        arrays.setdefault("smoke_ids", np.arange(lengths["smoke"]))
    for name in ("ids", *extras):
        for part, length in lengths.items():
            array = _array(arrays, f"{part}_{name}", None)
            _require(
                array.ndim >= 1 and len(array) == length and array.dtype.kind in "biuf",
                f"{part}_{name} must hold {length} numbers or rows of numbers, one per image",
            )
    return extras


def _check_indices(arrays: Arrays, name: str, part: str) -> None:
    indices = _array(arrays, name, None)
    n_images = len(arrays[f"{part}_images"])
    _require(indices.ndim == 1 and indices.dtype.kind in "iu", f"{name} must be a row of indices into {part}")
    _require(len(indices) > 0, f"{name} is empty")
    _require(
        int(indices.min()) >= 0 and int(indices.max()) < n_images,
        f"{name} holds indices from {indices.min()} to {indices.max()}; {part} has 0 to {n_images - 1}",
    )
    _require(len(np.unique(indices)) == len(indices), f"{name} holds an index twice")


def _check_classes(dataset: Dataset, part: str, indices: NDArray[np.generic], where: str) -> None:
    kept = set(dataset.arrays[f"{part}_labels"][indices].tolist())
    missing = sorted(set(range(dataset.n_classes)) - kept)
    _require(not missing, f"class {missing} is missing from {where}")


def _check_smoke(dataset: Dataset) -> None:
    """Check the public data's parts, and that none of its images is among those that nobody may see."""
    for name in ("smoke_forget", "smoke_val"):
        _check_indices(dataset.arrays, name, "smoke")
    both = np.intersect1d(dataset.smoke_part("forget"), dataset.smoke_part("val"))
    _require(not len(both), f"smoke_forget and smoke_val share {len(both)} indices; they must be disjoint")
    _check_classes(dataset, "smoke", dataset.smoke_part("retain"), "what smoke_forget and smoke_val leave")
    public = _digests(dataset.arrays["smoke_images"])
    for part in ("train", "val", "test", "non_member"):
        shared = len(public & _digests(dataset.arrays[f"{part}_images"]))
        _require(
            not shared,
            f"smoke_images holds {shared} images of {part}_images; logs of smoke runs are shown, so its images must "
            "be in no other part",
        )


def _digests(images: NDArray[np.generic]) -> set[bytes]:
    return {hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest() for image in images}


def _array(arrays: Mapping[str, Any], name: str, dtype: type[np.generic] | None) -> NDArray[Any]:
    array = arrays.get(name)
    _require(array is not None, f"load() gives no {name}")
    if not isinstance(array, np.ndarray):
        raise InvalidCompetition(f"data.py: {name} is {type(array).__name__}, not a numpy array")
    _require(
        dtype is None or array.dtype == dtype,
        f"{name} must be {np.dtype(dtype).name}, not {array.dtype.name}",
    )
    return array


def _require(holds: bool, problem: str) -> None:  # noqa: FBT001 - reads like an assertion
    if not holds:
        raise InvalidCompetition(f"data.py: {problem}")
