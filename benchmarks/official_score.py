"""The official score, ours and literal, as the benchmarks call them.

Run as a program with the name of one, it prints the memory of a process that does nothing else.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.memory import peak_mb  # noqa: E402  needs the path above
from grader import official  # noqa: E402
from tests.grader import literal_score  # noqa: E402

LITERAL_EXAMPLES = 2
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


def memory(name: str) -> None:
    """Print this process's peak memory after scoring, and what scoring added."""
    U, R = samples(MEMORY_MODELS, MEMORY_EXAMPLES)
    before = peak_mb()
    SCORES[name](U, R)
    print(f"{peak_mb():>7.0f} {peak_mb() - before:>29.0f}")


if __name__ == "__main__":
    memory(sys.argv[1])
