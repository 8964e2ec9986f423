"""The bundle by which devices are calibrated, in real sandboxes."""

import io
import json
import zipfile

import numpy as np
import pytest

from app.competitions import load_config
from tests.worker.conftest import TINY
from worker import weights
from worker.calibration_bundle import bundle
from worker.device import spec_for
from worker.outputs import Split
from worker.sandbox.base import Job
from worker.sandbox.pool import Pool


@pytest.fixture
def tiny(bench):
    return bench.material


@pytest.fixture
def retrain(bubblewrap, tiny):
    """Retrain in a sandbox of its own; the config may be another."""
    split = Split(tiny, "cpu")
    pool = Pool(bubblewrap)

    def once(seed=1):
        sandbox = pool.take(spec_for(split, load_config(TINY), "cpu"))
        return sandbox.run(Job(bundle(), seed, 60.0), lambda: False), split

    yield once
    pool.close()


def test_it_leaves_a_trained_model_that_can_be_graded(retrain, tiny):
    result, split = retrain()
    assert (result.verdict, result.reason) == (None, None)
    assert result.seconds > 0
    state = weights.read(result.output, split.layout)
    original = tiny.original()
    assert any(not np.array_equal(state[name], original[name]) for name in original)
    measured = split.measure(state)
    assert measured.retain_accuracy > 0.9  # stripes are easy: chance is 0.25


def test_each_seed_retrains_another_model(retrain):
    (first, _), (second, _) = retrain(1), retrain(2)
    assert first.output != second.output


def test_the_organisers_name_for_the_function_is_met(retrain, tiny):
    described = json.loads((tiny.sandbox / "material.json").read_text())
    (tiny.sandbox / "material.json").write_text(json.dumps(described | {"entry_function": "forget_it"}))
    result, _ = retrain()
    assert result.reason is None


def test_a_recipe_that_raises_ends_it_with_a_reason(retrain, tiny):
    model = tiny.sandbox / "model.py"
    model.write_text(model.read_text() + "\n\ndef train(*_, **__):\n    raise ValueError\n")
    result, _ = retrain()
    assert result.reason == "raised"


def test_it_is_a_bundle_that_the_door_would_take():
    with zipfile.ZipFile(io.BytesIO(bundle())) as unpacked:
        assert unpacked.namelist() == ["submission.py"]
    assert bundle() == bundle()
