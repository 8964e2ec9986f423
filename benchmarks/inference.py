"""What measuring a model's outputs costs: batched against one image at a time, memory, and its share of an evaluation.

Run from the repository root: python benchmarks/inference.py
Torch computes on one thread, as in a worker. The competition is digits, with untrained models where the real ones
would be retrained: a model's outputs cost the same whether they are good or not. The evaluation at the end is a real
one, of the example bundle `finetune`, in real sandboxes of bubblewrap; here its stages follow each other, while a
worker starts the next sandboxes beside the rest.
"""

import io
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from app.competitions import load_config  # noqa: E402  needs the path above
from benchmarks.memory import peak_mb  # noqa: E402
from grader import inference  # noqa: E402
from worker import weights  # noqa: E402
from worker.dataset import check_dataset  # noqa: E402
from worker.device import spec_for  # noqa: E402
from worker.files import npz_bytes  # noqa: E402
from worker.material import Material  # noqa: E402
from worker.outputs import RunOutputs, Split, measure  # noqa: E402
from worker.recipe import load_arrays, load_model_module  # noqa: E402
from worker.reference import sandbox_arrays, sandbox_facts  # noqa: E402
from worker.sandbox.base import Job  # noqa: E402
from worker.sandbox.bubblewrap import Bubblewrap  # noqa: E402
from worker.scoring import score_outputs  # noqa: E402

DIGITS = ROOT / "competitions" / "digits"
PARTS = ("forget", "retain", "test")
BATCHES = (1, 8, 64, 512)
REPEATS = 3
RUNS = 8
CUTOFF_SECONDS = 120.0

T = TypeVar("T")


def write_material(folder: Path) -> None:
    """Write a reference's folder for the public split of digits, with 2 x RUNS untrained models as the retrained ones."""
    config, recipe = load_config(DIGITS), load_model_module(DIGITS)
    dataset = check_dataset(load_arrays(DIGITS), config.batches)
    seen = sandbox_arrays("public", dataset)
    hidden = {f"test_{kind}": dataset.arrays[f"test_{kind}"] for kind in ("images", "labels")}
    torch.manual_seed(0)
    outputs: dict[str, NDArray[Any]] = {}
    for role in ("retrained", "ceiling"):
        models = [measure(recipe.build_model(), seen | hidden, "cpu") for _ in range(RUNS)]
        outputs[f"{role}_forget_logits"] = np.stack([model.forget_logits for model in models])
        for part in ("retain", "test"):
            accuracies = [getattr(model, f"{part}_accuracy") for model in models]
            outputs[f"{role}_{part}_accuracy"] = np.array(accuracies)
    original = {name: value.numpy() for name, value in recipe.build_model().state_dict().items()}
    files = {
        "sandbox/model.py": (DIGITS / "model.py").read_bytes(),
        "sandbox/material.json": json.dumps(sandbox_facts(config, dataset)).encode(),
        "sandbox/material.npz": npz_bytes(seen),
        "sandbox/original.npz": npz_bytes(original),
        "hidden.npz": npz_bytes(hidden),
        "outputs.npz": npz_bytes(outputs),
    }
    folder.chmod(0o711)  # sandboxes run under users of their own
    (folder / "sandbox").mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return seconds, and what the work returned."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def compare_batches(folder: Path) -> None:
    """Print milliseconds for one model on all three sets, and its memory, for each batch size."""
    split = Split(Material(folder, {}), "cpu")
    model = load_model_module(split.sandbox).build_model()
    images = [torch.from_numpy(split.arrays[f"{part}_images"]) for part in PARTS]
    print(f"one model on {sum(map(len, images))} images of digits")
    print(f"{'batch':>6} {'ms':>8} {'times as fast':>14} {'peak memory grows by, MB':>25}")
    one_at_a_time = 0.0
    for size in BATCHES:
        seconds = min(
            timed(lambda size=size: [inference.logits(model, some, size, "cpu") for some in images])[0]
            for _ in range(REPEATS)
        )
        one_at_a_time = one_at_a_time or seconds
        command = [sys.executable, __file__, str(folder), str(size)]
        grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        print(f"{size:>6} {seconds * 1e3:>8.1f} {one_at_a_time / seconds:>14.1f} {grown:>25}")


def growth(folder: Path, size: int) -> None:
    """Print by how many MB this process's peak memory grows over a few models, after one image to warm up."""
    split = Split(Material(folder, {}), "cpu")
    recipe = load_model_module(split.sandbox)
    images = [torch.from_numpy(split.arrays[f"{part}_images"]) for part in PARTS]
    inference.logits(recipe.build_model(), images[0][:1], 1, "cpu")
    before = peak_mb()
    for _ in range(REPEATS):
        model = recipe.build_model()
        for some in images:
            inference.logits(model, some, size, "cpu")
    print(f"{peak_mb() - before:.0f}")


def evaluate(folder: Path) -> None:
    """Print what each stage of an evaluation of RUNS runs costs, one after the other, and its share of the whole."""
    split = Split(Material(folder, {}), "cpu")
    spec = spec_for(split, load_config(DIGITS), "cpu")
    backend = Bubblewrap()
    backend.probe()
    bundle = zipped(DIGITS / "examples" / "finetune" / "submission.py")
    stages = dict.fromkeys(("starting sandboxes", "running the bundle", "reading weights", "inference"), 0.0)
    outputs: list[RunOutputs] = []
    for seed in range(RUNS):
        seconds, sandbox = timed(lambda: backend.start(spec))
        stages["starting sandboxes"] += seconds
        try:
            result = sandbox.run(Job(bundle, seed, CUTOFF_SECONDS), lambda: False)
        finally:
            sandbox.close()
        if result.verdict is not None:
            raise SystemExit(f"a run ended in {result.verdict}: {result.reason}")
        stages["running the bundle"] += result.seconds
        seconds, state = timed(lambda result=result: weights.read(result.output, split.layout))
        stages["reading weights"] += seconds
        seconds, measured = timed(lambda state=state: split.measure(state))
        stages["inference"] += seconds
        outputs.append(measured)
    score = partial(score_outputs, outputs, split, [1.0] * RUNS, [CUTOFF_SECONDS] * RUNS)
    cold, _ = timed(score)
    stages["scoring"], _ = timed(score)
    print(f"\nan evaluation of {RUNS} runs of finetune on digits, one after the other")
    print(f"{'stage':<20} {'seconds':>8} {'share':>7}")
    total = sum(stages.values())
    for name, seconds in stages.items():
        print(f"{name:<20} {seconds:>8.3f} {seconds / total:>7.1%}")
    print(f"the first scoring of a process also compiles: {cold - stages['scoring']:.1f} s more")


def zipped(source: Path) -> bytes:
    """Return a bundle that holds one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.write(source, source.name)
    return buffer.getvalue()


def main() -> None:
    """Print both tables; or, with a folder and a batch size, what one process's memory grows by."""
    torch.set_num_threads(1)
    if len(sys.argv) == 3:
        growth(Path(sys.argv[1]), int(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as name:
        write_material(Path(name))
        compare_batches(Path(name))
        evaluate(Path(name))


if __name__ == "__main__":
    main()
