"""A competition in a seeded world whose reference has public files, beside hidden ones, as `prepare` stores them."""

import io
import json

import numpy as np

from app import registry
from app.db import unit_of_work
from tests.grades import FACTS

RNG = np.random.default_rng(5)


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


PUBLIC = {
    "smoke/model.py": b"def build_model(): ...\n",
    "smoke/material.json": b'{"entry_function": "unlearning"}',
    "smoke/original.npz": npz(weight=np.ones((3, 2), np.float32), steps=np.int64(7), on=np.bool_(1)),
    "smoke/material.npz": npz(
        retain_images=RNG.normal(size=(9, 1, 4, 4)).astype(np.float32),
        retain_labels=np.arange(9) % 3,
        forget_images=RNG.normal(size=(3, 1, 4, 4)).astype(np.float32),
        forget_labels=np.arange(3),
    ),
}
HIDDEN = {
    "sandbox/model.py": PUBLIC["smoke/model.py"],
    "sandbox/material.json": PUBLIC["smoke/material.json"],
    "sandbox/original.npz": npz(weight=np.zeros((3, 2), np.float32)),
    "sandbox/material.npz": npz(forget_images=RNG.normal(size=(5, 1, 4, 4)), forget_labels=np.arange(5)),
    "hidden.npz": npz(test_images=RNG.normal(size=(6, 1, 4, 4)), test_labels=np.arange(6)),
    "outputs.npz": npz(retrained_forget_logits=RNG.normal(size=(4, 5, 3))),
}


def publish(world, slug="digits", files=None):
    """Make a new reference with these files the public split's current one; return path -> digest and its own digest."""
    listed = {name: world.storage.put(data) for name, data in (files or PUBLIC | HIDDEN).items()}
    manifest = json.dumps({"competition": slug, "split": "public", "files": listed}).encode()
    digest = world.storage.put(manifest)
    with unit_of_work(world.engine) as session:
        one = registry.get_competition(session, slug)
        registry.add_reference(session, one, "public", digest, 4, 7.4123, FACTS, world.clock(), smoke=True)
    return listed, digest
