"""Geometry of the charts that the templates draw as SVG. Pure; lengths are SVG user units."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.schemas import RunOut

WIDTH, HEIGHT = 640.0, 180.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 8.0, 18.0, 24.0


@dataclass(frozen=True)
class Bar:
    """One run: how long it took, of how much, and whether it reached its cutoff."""

    x: float
    y: float
    width: float
    height: float
    seed_index: int
    seconds: float
    cutoff: float
    over: bool


@dataclass(frozen=True)
class Tick:
    """A labelled line across the chart."""

    y: float
    value: float  # as the chart's bars: seconds, or shares


@dataclass(frozen=True)
class RunChart:
    """Seconds of each run against the cutoff, or shares of its own where cutoffs differ; `over` runs reached it."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    cutoff_y: float
    cutoff: float | None  # seconds, the same for all runs; None where bars are shares
    slowest: float  # seconds
    closest: float  # the largest share of a run's own cutoff
    over: int
    left: float = LEFT
    right: float = WIDTH - RIGHT
    bottom: float = HEIGHT - BOTTOM
    width: float = WIDTH
    height: float = HEIGHT


def run_times(runs: Sequence[RunOut], nominal: float) -> RunChart | None:
    """Lay out a bar for each run that has ended, in seed order; None while none has.

    `nominal` seconds are the cutoff of runs from before each had its own.
    """
    ended = [run for run in runs if run.seconds is not None]
    if not ended:
        return None
    cutoffs = [run.cutoff_seconds or nominal for run in ended]
    shared = cutoffs[0] if len(set(cutoffs)) == 1 else None
    seconds = [run.seconds or 0.0 for run in ended]
    shares = [took / cutoff for took, cutoff in zip(seconds, cutoffs, strict=True)]
    line, values = (1.0, shares) if shared is None else (shared, seconds)
    top = 1.08 * max(line, *values)

    def level(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top, 2)

    bars = tuple(
        _bar(run, cutoff, level(value), len(runs))
        for run, cutoff, value in zip(ended, cutoffs, values, strict=True)
    )
    return RunChart(
        bars=bars,
        ticks=tuple(Tick(level(share * line), share * line) for share in (0.0, 0.5)),
        cutoff_y=level(line),
        cutoff=shared,
        slowest=max(seconds),
        closest=max(shares),
        over=sum(bar.over for bar in bars),
    )


def _bar(run: RunOut, cutoff: float, y: float, count: int) -> Bar:
    """Place one of `count` bars whose top is at y."""
    slot = (WIDTH - LEFT - RIGHT) / count
    gap = min(2.0, 0.25 * slot)
    return Bar(
        x=round(LEFT + run.seed_index * slot + gap / 2, 2),
        y=y,
        width=round(min(slot - gap, 28.0), 2),
        height=round(HEIGHT - BOTTOM - y, 2),
        seed_index=run.seed_index,
        seconds=run.seconds or 0.0,
        cutoff=cutoff,
        over=run.reason == "over_cutoff",
    )
