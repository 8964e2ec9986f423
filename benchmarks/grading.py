"""How long the official score takes per forget example: ours against trying every rule on every model.

Run from the repository root: python benchmarks/grading.py
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from grader import official  # noqa: E402  needs the path above
from tests.grader import literal_score  # noqa: E402

EXAMPLES = 20
LITERAL_EXAMPLES = 2

Samples = NDArray[np.float64]


def ours(U: Samples, R: Samples) -> Samples:
    """Score all examples [N, S] at once."""
    return official.epsilons(U, R).epsilon


def literal(U: Samples, R: Samples) -> Samples:
    """Score the first few examples literally."""
    pairs = zip(U.T[:LITERAL_EXAMPLES], R.T[:LITERAL_EXAMPLES], strict=True)
    return np.array([literal_score.epsilon(u, r) for u, r in pairs])


def timed(score: Callable[[Samples, Samples], Samples], U: Samples, R: Samples) -> tuple[float, Samples]:
    """Return milliseconds per example, and the epsilons."""
    start = time.perf_counter()
    found = score(U, R)
    return (time.perf_counter() - start) * 1e3 / len(found), found


def main() -> None:
    """Print one row for each N; stop if the two ever disagree."""
    print(f"{'N':>5} {'ours, ms':>10} {'literal, ms':>12} {'ratio':>7}")
    for n in (32, 128, 512):
        rng = np.random.default_rng(n)
        U, R = rng.normal(0.5, 2.0, (n, EXAMPLES)), rng.normal(0.0, 2.0, (n, EXAMPLES))
        ours(U, R)  # warm up
        fast, epsilon = timed(ours, U, R)
        slow, expected = timed(literal, U, R)
        if not np.array_equal(epsilon[:LITERAL_EXAMPLES], expected):
            raise SystemExit(f"the two disagree at N = {n}")
        print(f"{n:>5} {fast:>10.2f} {slow:>12.0f} {slow / fast:>7.0f}")


if __name__ == "__main__":
    main()
