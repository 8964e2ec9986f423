"""Every golden case of the official metric, where the golden files stand beside the checkout."""

import json
import platform
from pathlib import Path

import numpy as np
import pytest
import torch

from grader import official, utility
from grader.confidence import confidence

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
CASES = sorted(path.stem for path in GOLDEN.glob("*.npz") if "confidence" not in path.stem)
SAME_MACHINE = (
    platform.machine() == "x86_64" and torch.__version__ == "2.13.0+cpu" and np.__version__ == "2.4.6"
)

pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden cases are not beside this checkout")


def load(name):
    """Arrays of a case and what is written beside them."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return dict(arrays), json.loads((GOLDEN / f"{name}.json").read_text())


def agree(found, expected):
    """Bit for bit with the versions that made the cases, else within float32 rounding."""
    if SAME_MACHINE:
        return np.array_equal(found, expected, equal_nan=True)
    return np.allclose(found, expected, rtol=0, atol=2e-6, equal_nan=True)


@pytest.mark.parametrize("name", CASES)
def test_epsilon_and_points_equal_the_official_ones(name):
    arrays, notes = load(name)
    found = official.epsilons(arrays["U"], arrays["R"])
    defined = ~np.isnan(arrays["eps"])
    assert agree(found.epsilon[defined], arrays["eps"][defined])
    if notes["forget_score"] is not None:
        awarded = official.points(found.epsilon, len(arrays["U"]))
        assert official.forgetting_quality(awarded) == notes["forget_score"]


def test_equal_and_close_constants_have_a_number_where_the_official_code_raises():
    arrays, notes = load("11_constants")
    assert [value is None for value in notes["eps"]] == [True, False, True, False]
    assert official.epsilons(arrays["U"], arrays["R"]).epsilon.tolist() == [0.0, 50.0, 50.0, 50.0]


def test_nan_and_infinity_in_both_are_named_where_the_official_code_raises():
    arrays, notes = load("14_nonfinite")
    reasons = official.epsilons(arrays["U"], arrays["R"]).reasons
    assert reasons == tuple("not_finite" if value is None else None for value in notes["eps"])


@pytest.mark.parametrize("n", [2, 3, 4, 10, 64, 512, 1024, 4096])
def test_points_equal_the_official_bins(n):
    bins = json.loads((GOLDEN / "31_binning.json").read_text())
    assert official.points(np.array(bins["eps"]), n).tolist() == bins["points_by_N"][str(n)]


@pytest.mark.parametrize(("dtype", "key"), [(np.float64, "conf_f64"), (np.float32, "conf_f32")])
def test_confidence_equals_the_official_one_and_leaves_the_logits_alone(dtype, key):
    with np.load(GOLDEN / "30_confidence_fn.npz") as arrays:
        logits, targets, expected = arrays["logits"].astype(dtype), arrays["targets"], arrays[key]
    before = logits.copy()
    assert agree(confidence(logits, targets), expected)
    assert np.array_equal(logits, before, equal_nan=True)


def test_the_final_score_equals_the_official_formula():
    case = json.loads((GOLDEN / "32_final_score.json").read_text())
    accuracy = {name: np.array(values) for name, values in case["accs"].items()}
    ratios = (utility.ratio(accuracy[f"u_{on}"], accuracy[f"r_{on}"]) for on in "rt")
    assert utility.score(case["forget_score"], *ratios) == pytest.approx(case["final"], rel=1e-14)
