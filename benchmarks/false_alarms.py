"""How often each integrity flag fires: by chance on honest methods, and on ways to look better than one is.

Run from the repository root: python benchmarks/false_alarms.py [--models 32 128 512] [--repeats 10] [--examples 100]

Beside the flags stands who gains: the mean forgetting quality, and its ratio to that of retraining itself.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.simulation import DISGUISED, KINDS, Laws  # noqa: E402  needs the path above
from grader import integrity, official  # noqa: E402

HONEST = KINDS[:3]
CODES = tuple(integrity.MESSAGES)

Seen = NDArray[np.float64]


def trial(kind: str, n_models: int, n_examples: int, seed: int, *, coarse: bool) -> Seen:
    """Return for one pair of groups which flags were raised, the forgetting quality and retraining's own."""
    rng = np.random.default_rng(seed)
    laws = Laws(n_examples, rng, coarse=coarse)
    # As in grading, values carry the precision of float32 outputs.
    groups = (laws.draw(n_models, one, rng).astype(np.float32) for one in ("identical", "identical", kind))
    R, again, U = (group.astype(np.float64) for group in groups)
    raised = {flag.code for flag in integrity.inspect(U, R, original=R.mean(axis=0) + 5.0).flags}
    return np.array([code in raised for code in CODES] + [quality(U, R), quality(again, R)], dtype=float)


def quality(U: Seen, R: Seen) -> float:
    """Return F over the examples that have points; a coarse law leaves some without."""
    return float(np.nanmean(official.points(official.epsilons(U, R).epsilon, len(U))))


def row(kind: str, n_models: int, options: argparse.Namespace, *, coarse: bool = False) -> str:
    """Return one line of the table: percentages of trials with each flag, F, and F over retraining's."""
    seeds = range(options.repeats)
    seen = np.mean([trial(kind, n_models, options.examples, seed, coarse=coarse) for seed in seeds], axis=0)
    flags = "".join(f"{100 * share:>{len(code) + 2}.1f}" for code, share in zip(CODES, seen, strict=False))
    return f"{n_models:>4} {kind + (' (coarse)' if coarse else ''):<34}{flags}{seen[-2]:>7.3f}{seen[-2] / seen[-1]:>7.2f}"


def main() -> None:
    """Print the honest methods first, then the others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, nargs="+", default=[32, 128, 512])
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--examples", type=int, default=100)
    options = parser.parse_args()
    heading = "".join(f"  {code}" for code in CODES)
    nominal = "".join(f"{100 * integrity.LEVEL:>{len(code) + 2}.1f}" for code in CODES)
    print(f"Share of {options.repeats} trials with a flag, in %; S = {options.examples}")
    print(f"{'N':>4} {'unlearned models':<34}{heading}{'F':>7}{'ratio':>7}")
    print(f"{'':>4} {'at most, by chance':<34}{nominal}")
    for n_models in options.models:
        for kind in HONEST:
            print(row(kind, n_models, options), flush=True)
        for kind in HONEST:
            print(row(kind, n_models, options, coarse=True), flush=True)
        for kind in (*KINDS[len(HONEST) :], *DISGUISED):
            print(row(kind, n_models, options), flush=True)


if __name__ == "__main__":
    main()
