"""scikit-learn's handwritten digits, with label noise, two disjoint forget sets, and public images for smoke runs."""

import numpy as np
from sklearn.datasets import load_digits

N_TRAIN = 600
N_VAL = 200
N_FORGET = 60
N_SMOKE = 150  # public: 15 to forget, 35 for validation, 100 to retain
NOISE = 0.3
CLASSES = 10


def load() -> dict[str, np.ndarray]:
    """Return images float32 [n, 1, 8, 8] in 0..1, labels int64 [n], and forget sets as indices into train.

    Validation and test keep their true labels. The non-members of the membership attack are the test images
    under the forget sets' noise: an attack is only fair between examples of one kind. The last images are public,
    and in no other part: code runs on them once before it is scored, and what it prints there is shown.
    """
    rng = np.random.default_rng(2023)
    digits = load_digits()
    order = rng.permutation(len(digits.images))
    images = (digits.images[order, None] / 16.0).astype(np.float32)
    labels = digits.target[order].astype(np.int64)
    # The order is random, so the first 120 training images are two random forget sets.
    forget_public, forget_private, others = np.split(np.arange(N_TRAIN), [N_FORGET, 2 * N_FORGET])
    train_labels = labels[:N_TRAIN].copy()
    for part in (forget_public, forget_private, others):
        train_labels[part] = _mislabel(train_labels[part], rng)
    val, test = slice(N_TRAIN, N_TRAIN + N_VAL), slice(N_TRAIN + N_VAL, -N_SMOKE)
    non_member_labels = _mislabel(labels[test], rng)
    smoke_forget, smoke_val, smoke_retain = np.split(np.arange(N_SMOKE), [15, 50])
    smoke_labels = labels[-N_SMOKE:].copy()
    for part in (smoke_forget, smoke_retain):
        smoke_labels[part] = _mislabel(smoke_labels[part], rng)
    return {
        "train_images": images[:N_TRAIN],
        "train_labels": train_labels,
        "val_images": images[val],
        "val_labels": labels[val],
        "test_images": images[test],
        "test_labels": labels[test],
        "non_member_images": images[test],
        "non_member_labels": non_member_labels,
        "forget_public": forget_public,
        "forget_private": forget_private,
        "smoke_images": images[-N_SMOKE:],
        "smoke_labels": smoke_labels,
        "smoke_forget": smoke_forget,
        "smoke_val": smoke_val,
    }


def _mislabel(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give exactly NOISE of the labels another class, chosen evenly among the wrong ones."""
    noisy = rng.choice(len(labels), size=round(NOISE * len(labels)), replace=False)
    labels = labels.copy()
    labels[noisy] = (labels[noisy] + rng.integers(1, CLASSES, size=len(noisy))) % CLASSES
    return labels
