"""Seconds of each run against its cutoff."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.charts.scale import Scale, linear, rounded
from app.schemas.submissions import RunOut

WIDTH, HEIGHT = 640.0, 200.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 8.0, 24.0, 30.0
MOST_BARS = 90
"""Of more runs, neighbours share a bar, as high as the slowest of them."""


@dataclass(frozen=True)
class Bar:
    """One run, or the slowest of neighbours: how long it took, of how much, and whether it reached its cutoff."""

    x: float
    y: float
    width: float
    height: float
    seed_index: int  # of the first run
    last_index: int
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
    ended: int
    grouped: bool
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

    level = linear(0, top, HEIGHT - BOTTOM, TOP)
    bars = _bars([_Ended(*one) for one in zip(ended, cutoffs, values, strict=True)], level, len(runs))
    return RunChart(
        bars=bars,
        ticks=tuple(Tick(level(share * line), share * line) for share in (0.0, 0.5)),
        cutoff_y=level(line),
        cutoff=shared,
        slowest=max(seconds),
        closest=max(shares),
        over=sum(run.reason == "over_cutoff" for run in ended),
        ended=len(ended),
        grouped=len(runs) > MOST_BARS,
    )


@dataclass(frozen=True)
class _Ended:
    """A run that has ended, and how high its bar is: in seconds, or as a share of its cutoff."""

    run: RunOut
    cutoff: float
    value: float


def _bars(ended: Sequence[_Ended], level: Scale, count: int) -> tuple[Bar, ...]:
    """Return a bar for each run of `count`, or for each few of them."""
    size = -(-count // MOST_BARS)
    groups: dict[int, list[_Ended]] = {}
    for one in ended:
        groups.setdefault(one.run.seed_index // size, []).append(one)
    return tuple(_bar(place, group, level, -(-count // size)) for place, group in groups.items())


def _bar(place: int, group: Sequence[_Ended], level: Scale, count: int) -> Bar:
    """Place one of `count` bars."""
    slowest = max(group, key=lambda one: one.value)
    slot = (WIDTH - LEFT - RIGHT) / count
    gap = min(2.0, 0.25 * slot)
    y = level(slowest.value)
    return Bar(
        x=rounded(LEFT + place * slot + gap / 2),
        y=y,
        width=rounded(min(slot - gap, 28.0)),
        height=rounded(HEIGHT - BOTTOM - y),
        seed_index=group[0].run.seed_index,
        last_index=group[-1].run.seed_index,
        seconds=slowest.run.seconds or 0.0,
        cutoff=slowest.cutoff,
        over=any(one.run.reason == "over_cutoff" for one in group),
    )
