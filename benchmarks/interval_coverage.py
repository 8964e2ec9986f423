"""How often the grader's 95 % intervals hold the true value, over simulated submissions of known kinds.

Models are trained anew in each repetition, unlearned and retrained ones; the forget set stays. The true values are means
over many repetitions of the plain statistic: official ones at N, calibrated ones as a ratio of means at the number of
models at which the ceiling is taken. Differences are paired, to another retraining.

Run from the repository root: python benchmarks/interval_coverage.py [--models 32 128 512] [--repetitions 200] [--second]
"""

import argparse
import dataclasses
import sys
from collections.abc import Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.simulation import Laws  # noqa: E402  needs the path above
from grader import official  # noqa: E402
from grader.ceiling import Draws, ceiling, draw  # noqa: E402
from grader.comparison import compare  # noqa: E402
from grader.intervals import Interval, interval  # noqa: E402
from grader.types import ModelOutputs  # noqa: E402

KINDS = ("identical", "shifted", "narrowed", "winsorised 5 %", "stratified")
UNLEARNED, RETRAINED, SPREAD = 0.85, 0.90, 0.01  # accuracies
UTILITY = (UNLEARNED / RETRAINED) ** 2

Samples = NDArray[np.float64]
Seed = np.random.SeedSequence


@dataclasses.dataclass(frozen=True)
class Setting:
    """One row's circumstances."""

    n_models: int
    n_examples: int
    second: bool

    def laws(self) -> Laws:
        """Return the forget set, the same in every repetition."""
        return Laws(self.n_examples, np.random.default_rng(0))

    @property
    def ceiling_models(self) -> int:
        """N at which the ceiling is taken."""
        return self.n_models if self.second else self.n_models // 2


@dataclasses.dataclass(frozen=True)
class Truth:
    """True forgetting quality [kinds] at N, and calibrated score [kinds]."""

    forgetting: Samples
    calibrated: Samples


def forgetting(U: Samples, R: Samples) -> float:
    """Return forgetting quality of confidences [N, S]."""
    return official.forgetting_quality(official.points(official.epsilons(U, R).epsilon, len(U)))


def plain(setting: Setting, seed: Seed) -> Samples:
    """Return forgetting quality of each kind in one repetition, [2, kinds]: at N, and at the ceiling's N."""
    rng, laws = np.random.default_rng(seed), setting.laws()
    pairs = [[laws.draw(setting.n_models, which, rng) for which in (kind, "identical")] for kind in KINDS]
    sizes = (setting.n_models, setting.ceiling_models)
    return np.array([[forgetting(U[:n], R[:n]) for U, R in pairs] for n in sizes])


def outputs(setting: Setting, kind: str, accuracy: float, rng: np.random.Generator) -> ModelOutputs:
    """Return the outputs of N models of one kind."""
    accuracies = rng.normal(accuracy, SPREAD, (2, setting.n_models))
    return ModelOutputs(setting.laws().draw(setting.n_models, kind, rng), *accuracies)


def repetition(setting: Setting, seed: Seed, truth: Truth) -> Samples:
    """Return, for each kind and quantity, whether the interval holds the truth, and half its width: [2, kinds, 5]."""
    rng = np.random.default_rng(seed)
    R = outputs(setting, "identical", RETRAINED, rng)
    second = outputs(setting, "identical", RETRAINED, rng) if setting.second else None
    base = draw(outputs(setting, "identical", UNLEARNED, rng), R, second)
    rows = []
    for place, kind in enumerate(KINDS):
        drawn = draw(outputs(setting, kind, UNLEARNED, rng), R, second)
        found = list(zip(intervals_of(drawn, base), true_values(truth, place), strict=True))
        rows.append([(one.low <= true <= one.high, one.width / 2) for one, true in found])
    return np.moveaxis(np.array(rows, dtype=np.float64), 2, 0)


def intervals_of(drawn: Draws, base: Draws) -> Iterable[Interval]:
    """Yield the intervals of forgetting, score, calibrated, and the differences of score and calibrated."""
    calibrated, paired = ceiling(drawn).calibrated_score, compare(drawn, base)
    assert calibrated is not None
    assert drawn.utility is not None
    assert paired.score is not None
    assert paired.calibrated_score is not None
    yield interval(drawn.forgetting_quality, drawn.quality)
    yield interval(drawn.forgetting_quality * drawn.utility, drawn.score)
    yield interval(calibrated, drawn.calibrated)
    yield paired.score.interval
    yield paired.calibrated_score.interval


def true_values(truth: Truth, place: int) -> Iterable[float]:
    """Yield what these intervals should hold."""
    yield truth.forgetting[place]
    yield truth.forgetting[place] * UTILITY
    yield truth.calibrated[place]
    yield (truth.forgetting[place] - truth.forgetting[0]) * UTILITY
    yield truth.calibrated[place] - truth.calibrated[0]


def true_of(setting: Setting, repetitions: int, pool: Executor) -> Truth:
    """Return the true values, from plain repetitions."""
    seeds = Seed(1).spawn(repetitions)
    at_n, at_ceiling = np.mean(list(pool.map(plain, [setting] * repetitions, seeds, chunksize=10)), axis=0)
    return Truth(at_n, at_ceiling / at_ceiling[0] * UTILITY)


def report(setting: Setting, repetitions: int, plain_repetitions: int, pool: Executor) -> None:
    """Print one row for each kind of submission."""
    truth = true_of(setting, plain_repetitions, pool)
    seeds = Seed(2).spawn(repetitions)
    found = pool.map(repetition, [setting] * repetitions, seeds, [truth] * repetitions)
    held, reach = np.mean(list(found), axis=0)
    for place, kind in enumerate(KINDS):
        seen = " ".join(f"{share:>10.1%}" for share in held[place])
        numbers = f"{truth.forgetting[place]:.3f} +- {reach[place, 0]:.3f}  {truth.calibrated[place]:.3f} +- {reach[place, 2]:.3f}"
        print(f"{setting.n_models:>4} {kind:<15} {seen}   {numbers}", flush=True)


def main() -> None:
    """Print nominal against seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", type=int, nargs="+", default=[32])
    parser.add_argument("--examples", type=int, default=24)
    parser.add_argument("--repetitions", type=int, default=30, help="of the full grade")
    parser.add_argument("--plain", type=int, default=200, help="repetitions behind the true values")
    parser.add_argument("--second", action="store_true", help="with a second reference of N retrained models")
    args = parser.parse_args()
    print(f"S = {args.examples}; {args.repetitions} repetitions; nominal 95 %; seen:")
    print(
        f"{'N':>4} {'kind':<15} {'F':>10} {'score':>10} {'calibrated':>10} {'d score':>10} {'d calib.':>10}   F and calibrated, with half widths"
    )
    with ProcessPoolExecutor() as pool:
        for n_models in args.models:
            report(Setting(n_models, args.examples, args.second), args.repetitions, args.plain, pool)


if __name__ == "__main__":
    main()
