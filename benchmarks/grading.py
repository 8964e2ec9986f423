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
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.memory import peak_mb  # noqa: E402  needs the path above
from grader import official  # noqa: E402
from tests.grader import literal_score  # noqa: E402

LITERAL_EXAMPLES = 2
PANEL_MODELS, PANEL_EXAMPLES = 512, 500
MEMORY_MODELS, MEMORY_EXAMPLES = 512, 2000

Samples = NDArray[np.float64]
Score = Callable[[Samples, Samples], Samples]


def samples(models: int, examples: int) -> tuple[Samples, Samples]:
    """Return unlearned and retrained confidences [N, S]."""
    rng = np.random.default_rng(models)
    return rng.normal(0.5, 2.0, (models, examples)), rng.normal(0.0, 2.0, (models, examples))


def ours(U: Samples, R: Samples) -> Samples:
    """Score all examples [N, S] at once."""
    return official.epsilons(U, R).epsilon


def literal(U: Samples, R: Samples) -> Samples:
    """Score the first few examples literally."""
    pairs = zip(U.T[:LITERAL_EXAMPLES], R.T[:LITERAL_EXAMPLES], strict=True)
    return np.array([literal_score.epsilon(u, r) for u, r in pairs])


SCORES: dict[str, Score] = {"ours": ours, "literal": literal}


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
        command = [sys.executable, __file__, name]
        print(
            f"{name:<8} " + subprocess.run(command, capture_output=True, text=True, check=True).stdout, end=""
        )


def memory(name: str) -> None:
    """Print this process's peak memory after scoring, and what scoring added."""
    U, R = samples(MEMORY_MODELS, MEMORY_EXAMPLES)
    before = peak_mb()
    SCORES[name](U, R)
    print(f"{peak_mb():>7.0f} {peak_mb() - before:>29.0f}")


def panels() -> Sequence[tuple[str, Callable[[], object]]]:
    """Return each panel of a report by name, ready to be called on PANEL_MODELS and PANEL_EXAMPLES."""
    U, R = samples(PANEL_MODELS, PANEL_EXAMPLES)
    return [("official", lambda: official.epsilons(U, R))]


def cost_of_panels() -> None:
    """Print one row for each panel, and their sum beside the literal evaluation of the official one."""
    print(f"\ncost of each panel, N = {PANEL_MODELS}, S = {PANEL_EXAMPLES}")
    total = 0.0
    for name, call in panels():
        seconds = seconds_of(call)
        total += seconds
        print(f"{name:<32} {seconds:>9.2f} s")
    print(f"{'all':<32} {total:>9.2f} s")
    per_example, _ = timed(literal, *samples(PANEL_MODELS, LITERAL_EXAMPLES))
    estimate = per_example * PANEL_EXAMPLES / 1e3
    print(f"{'official, literally (estimated)':<32} {estimate:>9.2f} s, from {LITERAL_EXAMPLES} examples")


def main() -> None:
    """Print all tables; or, with the name of a score, the memory of this process."""
    if len(sys.argv) == 2:
        memory(sys.argv[1])
        return
    first = seconds_of(lambda: ours(*samples(3, 1)))
    print(f"the first call in a process compiles: {first:.1f} s, not counted below\n")
    compare()
    grow()
    compare_memory()
    cost_of_panels()


if __name__ == "__main__":
    main()
