"""The participant's contract, tried with real bundles in real sandboxes.

Bundles check what they are given with asserts of their own: one that fails ends as `raised`.
"""

import py_compile

import pytest
import torch

from app import source_check
from tests.worker.sandbox.tools import LAYOUT, bundle, facts, make_material, original, spec_of
from worker import weights
from worker.sandbox import runner
from worker.sandbox.base import Job

TRAIN = """
import torch

def train(net, loader):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    net.train()
    for images, labels in loader:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(images), labels).backward()
        optimizer.step()
"""

HONEST = {
    "changes the network in place and returns None": """
from recipe import train
def unlearning(net, retain_loader, forget_loader, val_loader):
    assert [len(loader.dataset) for loader in (retain_loader, forget_loader, val_loader)] == [40, 8, 10]
    assert len(retain_loader) == 3
    image, label = forget_loader.dataset[7]
    assert image.shape == (1, 8, 8) and label == 1
    images, labels = next(iter(val_loader))
    assert images.dtype is torch.float32 and labels.dtype is torch.int64 and labels.tolist() == [n % 3 for n in range(10)]
    train(net, retain_loader)
""",
    "returns a new module": """
import copy
from recipe import train
def unlearning(net, retain_loader, forget_loader, val_loader):
    student = copy.deepcopy(net)
    train(student, retain_loader)
    return student
""",
    "returns a state dict in float64, in another order": """
from recipe import train
def unlearning(net, retain_loader, forget_loader, val_loader):
    train(net, retain_loader)
    return {key: value.double() for key, value in reversed(net.state_dict().items())}
""",
    "leaves half precision, frozen parameters and tensors that are not contiguous": """
from recipe import train
def unlearning(net, retain_loader, forget_loader, val_loader):
    train(net, retain_loader)
    net.half().requires_grad_(False)
    net[4].weight.data = net[4].weight.data.t().contiguous().t()
    assert not net[4].weight.is_contiguous()
    return net
""",
    "names its arguments in an order of its own": """
from recipe import train
def unlearning(validation, forget, class_weights, model, retain, device="none", epochs=1, **rest):
    assert [len(loader.dataset) for loader in (retain, forget, validation)] == [40, 8, 10]
    assert class_weights.shape == (3,) and abs(float(class_weights.mean()) - 1) < 1e-6
    assert device == torch.device("cpu") and epochs == 1 and not rest
    train(model, retain)
""",
    "takes four arguments under names of its own": """
from recipe import train
def unlearning(a, b, c, d, epochs=1):
    assert [len(loader.dataset) for loader in (b, c, d)] == [40, 8, 10]
    train(a, b)
""",
    "brings a model.py, a helper module and a data file": """
from pathlib import Path
from model import MINE
from recipe import train
def unlearning(net, retain_loader, forget_loader, val_loader):
    assert MINE == "mine" and Path("table.txt").read_text() == "rates"
    assert Path(__file__).with_name("table.txt").exists()
    train(net, retain_loader)
""",
}


@pytest.mark.parametrize("style", HONEST)
def test_a_bundle_that(run, style):
    files = {"recipe.py": TRAIN, "model.py": "MINE = 'mine'", "table.txt": "rates"}
    result = run(bundle("import torch\n" + HONEST[style], files))
    assert result.reason is None, result
    tensors = weights.read(result.output, LAYOUT)
    assert list(tensors) == list(LAYOUT)
    assert not tensors["4.weight"].equal(original()["4.weight"])


def test_dict_batches_carry_the_names_of_the_competition(bubblewrap, tmp_path):
    source = """
import torch
def unlearning(net, retain_loader, forget_loader, val_loader):
    batch = next(iter(val_loader))
    assert sorted(batch) == ["a_vector", "age", "age_group", "image", "image_id"]
    assert batch["image"].shape == (10, 1, 8, 8) and batch["age"].dtype is torch.float32
    assert batch["image_id"].tolist() == list(range(100, 110))
    item = forget_loader.dataset[2]
    assert {item["image_id"]: "a key"}[102] and item["age_group"] == 2
"""
    sandbox = bubblewrap.start(spec_of(make_material(tmp_path, kind="dict")))
    assert sandbox.run(Job(bundle(source), 1, 20.0), lambda: False).reason is None


def test_a_seed_set_at_import_does_not_make_runs_alike(run):
    source = """
import random, numpy, torch
random.seed(0), numpy.random.seed(0), torch.manual_seed(0)
def unlearning(net, retain_loader, forget_loader, val_loader):
    order = torch.cat([labels for _, labels in retain_loader])
    with torch.no_grad():
        net[4].bias.copy_(torch.tensor([random.random(), numpy.random.rand(), torch.rand(())]))
        net[4].weight[0, :40] = order
"""

    def weights_of(seed):
        tensors = weights.read(run(bundle(source), seed=seed).output, LAYOUT)
        return torch.cat([tensors["4.bias"], tensors["4.weight"][0, :40]])

    first, second, again = weights_of(1), weights_of(2**31 + 5), weights_of(1)
    assert first.equal(again)
    assert (first[:3] != second[:3]).all()
    assert not first[3:].equal(second[3:])


def test_the_door_and_the_runner_know_the_same_argument_names():
    assert set(source_check.KNOWN) == set(runner.KNOWN_ARGUMENTS)


def test_the_runner_writes_exactly_the_dtypes_that_the_host_reads():
    host = {str(dtype).removeprefix("torch."): name for name, dtype in weights.DTYPES.items()}
    assert host == runner.DTYPES


FORGED = "def unlearning(net): net[4].bias.data.fill_(7)"


def compiled(folder):
    """Compile the forged source so that Python never compares it with what lies beside it."""
    (folder / "forged.py").write_text(FORGED)
    out = folder / "forged.pyc"
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(folder / "forged.py"), str(out), invalidation_mode=mode)
    return out.read_bytes()


@pytest.mark.parametrize("name", ["__pycache__/submission.cpython-311.pyc", "submission/__init__.py"])
def test_only_the_submission_that_the_door_saw_is_imported(run, tmp_path, name):
    source = """
import submission, sys
assert submission is sys.modules[__name__] and __file__.endswith("/submission.py")
from kept.helper import LEVEL
def unlearning(net): net[4].bias.data.fill_(LEVEL)
"""
    forged = compiled(tmp_path) if name.endswith(".pyc") else FORGED
    files = {
        name: forged,
        "kept/helper.py": "LEVEL = 3",
        "__MACOSX/._submission.py": "x",
        "kept/.DS_Store": "x",
    }
    tensors = weights.read(run(bundle(source, files)).output, LAYOUT)
    assert tensors["4.bias"].tolist() == [3, 3, 3]


def test_what_systems_leave_behind_and_compiled_code_is_not_unpacked(run):
    source = """
import os, inside
inside.report(sorted(os.path.join(top, name)[2:] for top, _, names in os.walk(".") for name in names))
"""
    junk = ["__pycache__/a.py", "sub/__pycache__/b.pyc", "late.pyc", "__MACOSX/x", ".DS_Store"]
    assert facts(run(bundle(source, dict.fromkeys([*junk, "sub/data.txt"], "x")))) == [
        "inside.py",
        "sub/data.txt",
        "submission.py",
    ]


BAD_ENDS = {
    "import no_such_package": "import_failed",
    "unlearn = print": "entry_function_missing",
    "def unlearning(net, retain_loader, forget_loader, val_loader, lr): pass": "unknown_argument_at_run",
    "def unlearning(one, two): pass": "unknown_argument_at_run",
    "def unlearning(net): raise KeyboardInterrupt": "raised",
    "import sys\ndef unlearning(net): sys.exit()": "no_weights",
    "import sys\nsys.exit(3)": "died",
    "import ctypes\ndef unlearning(net): ctypes.string_at(0)": "died",
    "def unlearning(net): return net, 1": "wrong_return_type",
    "def unlearning(net): return {'4.weight': net[4].weight}": "wrong_keys",
    "import torch\ndef unlearning(net): net[4] = torch.nn.Linear(144, 5)": "wrong_shapes",
    "def unlearning(net): bytearray(1 << 40)": "memory_limit",
    "import torch\ndef unlearning(net): torch.empty(1 << 40)": "memory_limit",
    "def unlearning(net):\n  hoard = []\n  while True: hoard.append(bytes(b'x') * (1 << 20))": "memory_limit",
    "import inside\ninside.leave(b'', length=1 << 60)": "malformed_output",
}


@pytest.mark.parametrize(("source", "reason"), BAD_ENDS.items(), ids=list(BAD_ENDS.values()))
def test_a_bad_end_has_its_own_reason(run, source, reason):
    result = run(bundle(source))
    assert (result.reason, result.output) == (reason, b"")


def test_weights_that_are_not_finite_are_refused_by_the_reader(run):
    result = run(bundle("def unlearning(net): net[4].bias.data.fill_(float('nan'))"))
    with pytest.raises(weights.InvalidWeights) as refused:
        weights.read(result.output, LAYOUT)
    assert refused.value.code == "not_finite_weights"
