"""What the tests of the sandbox share: a tiny competition, bundles, and reports from inside."""

import io
import json
import zipfile

import numpy as np
import torch

from worker import weights
from worker.sandbox.base import Limits, SandboxSpec

MODEL = """
import torch


def build_model():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 3)
    )
"""
UIDS = 230_000  # apart from those of a service on the same machine
COUNTS = {"retain": 40, "forget": 8, "val": 10}
DICTS = {"a_vector": "vector", "image": "images", "image_id": "ids", "age_group": "labels", "age": "age"}


def build_model():
    names = {}
    exec(MODEL, names)  # the same text that the sandbox loads
    return names["build_model"]()


def original():
    """The original model's weights; the same at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_model().state_dict()


LAYOUT = weights.layout_of(original())


def make_material(folder, kind="tuple"):
    """Write a material folder whose hidden data lie beside what a sandbox sees; return the part that it sees."""
    sandbox = folder / "sandbox"
    sandbox.mkdir()
    (sandbox / "model.py").write_text(MODEL)
    np.savez(sandbox / "original.npz", **{key: tensor.numpy() for key, tensor in original().items()})
    rng = np.random.default_rng(0)
    arrays = {}
    for part, count in COUNTS.items():
        arrays[f"{part}_images"] = rng.random((count, 1, 8, 8), dtype=np.float32)
        arrays[f"{part}_labels"] = np.arange(count) % 3
        arrays[f"{part}_ids"] = np.arange(count) + 100
        arrays[f"{part}_vector"] = rng.random((count, 5), dtype=np.float32)
        arrays[f"{part}_age"] = rng.random(count, dtype=np.float32)
    np.savez(sandbox / "material.npz", **arrays)
    np.savez(folder / "hidden.npz", test_labels=np.arange(5))
    described = {
        "entry_function": "unlearning",
        "batch_size": 16,
        "batch_kind": kind,
        "fields": DICTS if kind == "dict" else {},
        "n_classes": 3,
    }
    (sandbox / "material.json").write_text(json.dumps(described))
    return sandbox


REPORT_BYTES = 1 << 16  # beyond the weights' own room in the slot


def spec_of(material, memory_mb=1500):
    room = weights.payload_bytes(LAYOUT) + REPORT_BYTES
    return SandboxSpec(material, Limits(memory_mb << 20, 64, 16 << 20, room))


def bundle(submission, files=None):
    """Zip a submission.py and whatever lies beside it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in {"submission.py": submission, "inside.py": INSIDE, **(files or {})}.items():
            archive.writestr(name, text)
    return buffer.getvalue()


INSIDE = """
import json, os, struct

def slot():
    for number in range(3, 64):
        try:
            if "memfd:output" in os.readlink(f"/proc/self/fd/{number}"):
                return number
        except OSError:
            continue

def leave(payload, length=None):
    os.pwrite(slot(), struct.pack("<Q", len(payload) if length is None else length) + payload, 0)
    os._exit(0)

def report(facts):
    leave(json.dumps(facts).encode())
"""
"""A module that goes with every test bundle: it writes the output slot itself and leaves, as a forger would."""


def facts(result):
    """Read what a bundle told through `inside.report`."""
    assert result.reason is None, result
    return json.loads(result.output)
