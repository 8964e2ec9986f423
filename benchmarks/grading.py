"""What grading costs: the official score beside trying every rule on every model, its growth, its memory, each panel.

Run from the repository root: python benchmarks/grading.py
Samples are normal, the unlearned ones shifted by half a unit. The literal evaluation (tests/grader/literal_score.py)
judges 400 rules at a time.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import official_score  # noqa: E402  needs the path above
from benchmarks.official_score import (  # noqa: E402
    LITERAL_EXAMPLES,
    MEMORY_EXAMPLES,
    MEMORY_MODELS,
    SCORES,
    Samples,
    Score,
    literal,
    ours,
    samples,
)
from grader import ceiling, distribution, heldout, integrity, membership, official, utility  # noqa: E402
from grader.intervals import DRAWS  # noqa: E402
from grader.types import ModelOutputs  # noqa: E402

PANEL_MODELS, PANEL_EXAMPLES = 512, 500
CLASSES = 10


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def timed(score: Score, U: Samples, R: Samples) -> tuple[float, Samples]:
    """Return milliseconds per example, and the epsilons."""
    start = time.perf_counter()
    found = score(U, R)
    return (time.perf_counter() - start) * 1e3 / len(found), found


def compare() -> None:
    """Print one row for each N; stop if the two ever disagree."""
    print("official epsilon, per example")
    print(f"{'N':>6} {'ours, ms':>10} {'literal, ms':>12} {'ratio':>7}")
    for n in (32, 128, 512):
        U, R = samples(n, 200)
        fast, epsilon = timed(ours, U, R)
        slow, expected = timed(literal, U, R)
        if not np.array_equal(epsilon[:LITERAL_EXAMPLES], expected):
            raise SystemExit(f"the two disagree at N = {n}")
        print(f"{n:>6} {fast:>10.2f} {slow:>12.0f} {slow / fast:>7.0f}")


def grow() -> None:
    """Print how the time of all examples grows with N, and with S."""
    print("\ngrowth of the official epsilon, its table included")
    print(f"{'N':>6} {'S':>6} {'seconds':>9} {'ms per example':>15}")
    for n, s in (
        (3, 200),
        (32, 200),
        (128, 200),
        (512, 200),
        (2048, 200),
        (4096, 200),
        (512, 20),
        (512, 2000),
    ):
        milliseconds, _ = timed(ours, *samples(n, s))
        print(f"{n:>6} {s:>6} {milliseconds * s / 1e3:>9.3f} {milliseconds:>15.3f}")


def compare_memory() -> None:
    """Print the memory of processes that score S examples, ours, and the first few of them, literally."""
    print(f"\npeak memory of a process, N = {MEMORY_MODELS}, S = {MEMORY_EXAMPLES}, in MB")
    print(f"{'':<8} {'in all':>7} {'over its imports and samples':>29}")
    for name in SCORES:
        command = [sys.executable, official_score.__file__, name]
        print(
            f"{name:<8} " + subprocess.run(command, capture_output=True, text=True, check=True).stdout, end=""
        )


def outputs(confidence: Samples, rng: np.random.Generator) -> ModelOutputs:
    """Return what an evaluation knows of models with these confidences: CLASSES logits, and accuracies."""
    logits = rng.normal(size=(*confidence.shape, CLASSES)).astype(np.float32)
    logits[..., 0] += confidence
    accuracies = rng.uniform(0.7, 0.8, (3, len(confidence)))
    return ModelOutputs(confidence, *accuracies, logits=logits)


def panels(models: int, examples: int) -> Sequence[tuple[str, Callable[[], object]]]:
    """Return each panel of a report by name, ready to be called."""
    rng = np.random.default_rng(models)
    U, R = (outputs(confidence, rng) for confidence in samples(models, examples))
    second = outputs(samples(models, examples)[1] + rng.normal(size=(models, examples)), rng)
    return [
        ("official", lambda: official.epsilons(U.confidence, R.confidence)),
        (f"ceiling and intervals, {DRAWS} draws", lambda: ceiling.draw(U, R, second)),
        ("held-out attack", lambda: heldout.held_out(U.confidence, R.confidence)),
        ("membership", lambda: membership.attack(U.confidence, R.confidence)),
        ("distribution", lambda: distribution.compare(U.confidence, R.confidence, U.logits, R.logits)),
        ("utility", lambda: utility.panel(U, R)),
        ("integrity", lambda: integrity.inspect(U.confidence, R.confidence, R.confidence[0])),
    ]


def cost_of_panels() -> None:
    """Print one row for each panel, and their sum beside the literal evaluation of the official one."""
    print(f"\ncost of each panel, N = {PANEL_MODELS}, S = {PANEL_EXAMPLES}")
    total = 0.0
    for name, call in panels(PANEL_MODELS, PANEL_EXAMPLES):
        seconds = seconds_of(call)
        total += seconds
        print(f"{name:<34} {seconds:>9.2f} s")
    print(f"{'all':<34} {total:>9.2f} s")
    per_example, _ = timed(literal, *samples(PANEL_MODELS, LITERAL_EXAMPLES))
    estimate = per_example * PANEL_EXAMPLES / 1e3
    print(f"{'official, literally (estimated)':<34} {estimate:>9.2f} s, from {LITERAL_EXAMPLES} examples")


def grow_reports() -> None:
    """Print how the time of all panels together grows with N, and with S."""
    print("\ngrowth of all panels")
    print(f"{'N':>6} {'S':>6} {'seconds':>9}")
    for n, s in ((32, 100), (128, 100), (512, 100), (32, 200), (32, 400)):
        seconds = sum(seconds_of(call) for _, call in panels(n, s))
        print(f"{n:>6} {s:>6} {seconds:>9.2f}")


def main() -> None:
    """Print all tables."""
    first = seconds_of(lambda: [call() for _, call in panels(12, 1)])
    print(f"the first call in a process compiles: {first:.1f} s, not counted below\n")
    compare()
    grow()
    compare_memory()
    cost_of_panels()
    grow_reports()


if __name__ == "__main__":
    main()
