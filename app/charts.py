"""Geometry of the charts that the templates draw as SVG. Pure; lengths are SVG user units."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.schemas import RunOut

WIDTH, HEIGHT = 640.0, 180.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 8.0, 18.0, 24.0


@dataclass(frozen=True)
class Bar:
    """One run: how long it took, and whether it reached the cutoff."""

    x: float
    y: float
    width: float
    height: float
    seed_index: int
    seconds: float
    over: bool


@dataclass(frozen=True)
class Tick:
    """A labelled line across the chart."""

    y: float
    seconds: float


@dataclass(frozen=True)
class RunChart:
    """Seconds of each run against the cutoff; `over` of them reached it."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    cutoff_y: float
    slowest: float
    over: int
    left: float = LEFT
    right: float = WIDTH - RIGHT
    bottom: float = HEIGHT - BOTTOM
    width: float = WIDTH
    height: float = HEIGHT


def run_seconds(runs: Sequence[RunOut], cutoff: float) -> RunChart | None:
    """Lay out a bar for each run, in seed order; None while no run has ended."""
    timed = [(run, run.seconds) for run in runs if run.seconds is not None]
    if not timed:
        return None
    top = 1.08 * max(cutoff, *(seconds for _, seconds in timed))
    slot = (WIDTH - LEFT - RIGHT) / len(runs)
    gap = min(2.0, 0.25 * slot)

    def level(seconds: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * seconds / top, 2)

    bars = tuple(
        Bar(
            x=round(LEFT + run.seed_index * slot + gap / 2, 2),
            y=level(seconds),
            width=round(min(slot - gap, 28.0), 2),
            height=round(HEIGHT - BOTTOM - level(seconds), 2),
            seed_index=run.seed_index,
            seconds=seconds,
            over=run.reason == "over_cutoff",
        )
        for run, seconds in timed
    )
    ticks = tuple(Tick(level(share * cutoff), share * cutoff) for share in (0.0, 0.5))
    slowest = max(bar.seconds for bar in bars)
    return RunChart(bars, ticks, level(cutoff), slowest, sum(bar.over for bar in bars))
