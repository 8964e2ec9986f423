"""Draw the plots of docs/scoring.md from simulated models: python benchmarks/plots.py (a few minutes)."""

import statistics
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.simulation import Laws  # noqa: E402  needs the path above
from benchmarks.svg import COLOURS, LEFT, Axis, Plot  # noqa: E402
from grader import ceiling, heldout, intervals, official  # noqa: E402
from grader.types import ModelOutputs  # noqa: E402

IMAGES = ROOT / "docs" / "images"
EXAMPLES = 100
REPEATS = 5
SIZES = (8, 16, 32, 64, 128, 256, 512)
WINSORISED, BOTH = "winsorised 5 %", "stratified 5 %"


def quality(laws: Laws, n: int, kind: str, rng: np.random.Generator) -> float:
    """Return the official forgetting quality of one fresh competition with N models."""
    U, R = laws.draw(n, kind, rng), laws.draw(n, "identical", rng)
    return official.forgetting_quality(official.points(official.epsilons(U, R).epsilon, n))


def plot_ceiling() -> None:
    """Show that the official score of the perfect answer is far below 1, depends on N, and can be beaten."""
    plot = Plot(
        "The perfect answer scores low, and can be beaten",
        Axis(
            7,
            600,
            SIZES,
            f"N, models on each side (strokes: lowest to highest of {REPEATS} competitions)",
            log=True,
        ),
        Axis(0, 0.7, (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), "official forgetting quality F"),
        legend_left=LEFT + 12,
    )
    names = {
        "identical": "retraining itself",
        WINSORISED: "outputs clipped at 5 % and 95 %",
        BOTH: "runs spread evenly, and clipped",
    }
    rng = np.random.default_rng(1)
    for (kind, name), colour in zip(names.items(), COLOURS, strict=False):
        points = []
        for n in SIZES:
            found = [quality(Laws(EXAMPLES, rng), n, kind, rng) for _ in range(REPEATS)]
            points.append((n, statistics.fmean(found)))
            plot.whisker(n, min(found), max(found), colour)
            print(f"{name:35} N = {n:3}: F = {points[-1][1]:.3f} ({min(found):.3f} to {max(found):.3f})")
        plot.line(points, colour)
        plot.legend(name, colour)
    plot.save(IMAGES / "ceiling.svg")


def plot_epsilon() -> None:
    """Show epsilon of retraining against retraining: the official one is above 0 nearly everywhere."""
    n, examples = 128, 1000
    rng = np.random.default_rng(2)
    laws = Laws(examples, rng)
    U, R = laws.draw(n, "identical", rng), laws.draw(n, "identical", rng)
    chosen = official.epsilons(U, R).epsilon
    judged = np.asarray(heldout.held_out(U, R).epsilon_lower)
    step = 0.25
    edges = np.arange(0, 5.01, step)  # what is 0 stands at 0, by itself
    plot = Plot(
        f"Epsilon of retraining against retraining, N = {n}",
        Axis(-0.2, 5, range(6), "epsilon"),
        Axis(0, 1, (0, 0.25, 0.5, 0.75, 1), "share of examples"),
    )
    for values, side, name, colour in (
        (chosen, -1, "official", COLOURS[1]),
        (judged, 1, "held-out lower bound", COLOURS[0]),
    ):
        share = np.histogram(values[values > 0].clip(0, 5), edges)[0] / examples
        plot.bar(0, step / 2.5, float(np.mean(values == 0)), colour)
        for left, part in zip(edges, share, strict=False):
            plot.bar(left + step / 2 + side * step / 5, step / 2.5, part, colour)
        plot.legend(name, colour)
        print(f"{name:25} median {np.median(values):.2f}, above 0 in {np.mean(values > 0):.1%}")
    plot.save(IMAGES / "epsilon.svg")


def plot_reruns() -> None:
    """Show the calibrated forgetting of 40 reruns of retraining with their intervals, sorted."""
    n, reruns = 128, 40
    rng = np.random.default_rng(3)
    laws = Laws(EXAMPLES, rng)
    found = []
    for _ in range(reruns):
        U, R = (ModelOutputs(laws.draw(n, "identical", rng)) for _ in range(2))
        drawn = ceiling.draw(U, R)
        value = ceiling.ceiling(drawn).calibrated_forgetting
        found.append((value, intervals.interval(value, drawn.calibrated_forgetting)))
    found.sort(key=lambda one: one[0])
    holding = sum(one.low <= 1 <= one.high for _, one in found)
    print(f"{holding} of {reruns} intervals hold 1")
    plot = Plot(
        f"{reruns} reruns of retraining, calibrated, N = {n}: {holding} intervals hold 1",
        Axis(0, reruns + 1, (), "reruns, sorted"),
        Axis(0.7, 1.3, (0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3), "calibrated forgetting quality"),
    )
    plot.level(1, "#404040")
    for place, (value, one) in enumerate(found, start=1):
        colour = COLOURS[0] if one.low <= 1 <= one.high else COLOURS[1]
        plot.whisker(place, max(one.low, 0.7), min(one.high, 1.3), colour)
        plot.dot(place, value, colour)
    plot.save(IMAGES / "reruns.svg")


def main() -> None:
    """Draw them all."""
    IMAGES.mkdir(exist_ok=True)
    plot_ceiling()
    plot_epsilon()
    plot_reruns()


if __name__ == "__main__":
    main()
