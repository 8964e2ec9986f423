"""How many examples have which epsilon, beside retraining's; one submission or two."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.charts.scale import (
    SMALL,
    Frame,
    Scale,
    Tick,
    linear,
    nice_ticks,
    percent,
    plain,
    rounded,
    steps,
    units,
)
from app.schemas.plots import EpsilonBar

GAP = 0.16
"""Of a slot, between bars."""


@dataclass(frozen=True)
class Bar:
    """A share of the examples."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Row:
    """A line of the table under it."""

    epsilon: str
    points: str
    shares: tuple[float | None, ...]  # of each submission, then of retraining


@dataclass(frozen=True)
class Histogram:
    """Bars of one submission or of two side by side, and the staircase of retraining."""

    series: tuple[tuple[Bar, ...], ...]
    ceiling: str  # a path; empty where retraining's is not known
    pointless_x: float  # where points end
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]
    words: str
    frame: Frame = SMALL


def histogram(names: Sequence[str], found: Sequence[Sequence[EpsilonBar]]) -> Histogram | None:
    """Lay out the bars of each submission, all of the same edges; None where there are none, or edges differ."""
    if not found or not found[0] or len({tuple(bar.low for bar in bars) for bars in found}) > 1:
        return None
    first = found[0]
    shares = [[bar.unlearned for bar in bars] for bars in found]
    ceiling = [bar.retrained for bar in first]
    known = [one for one in ceiling if one is not None]
    top = max(0.05, *(max(one) for one in shares), *known)
    slot = (SMALL.right - SMALL.left) / len(first)
    y = linear(0, 1.06 * top, SMALL.bottom, SMALL.top)
    return Histogram(
        series=tuple(_bars(one, index, len(found), slot, y) for index, one in enumerate(shares)),
        ceiling=_staircase(known, slot, y) if len(known) == len(first) else "",
        pointless_x=rounded(SMALL.left + slot * (len(first) - 2)),
        x_ticks=_places(first, slot),
        y_ticks=tuple(Tick(y(one), percent(one)) for one in nice_ticks(0, top, 4)),
        rows=tuple(_row(index, found, ceiling) for index in range(len(first))),
        words=_words(names, found),
    )


def _bars(shares: Sequence[float], index: int, count: int, slot: float, y: Scale) -> tuple[Bar, ...]:
    """Place one submission's bars: each slot is shared by all."""
    width = slot * (1 - GAP) / count
    return tuple(
        Bar(
            x=rounded(SMALL.left + slot * (place + GAP / 2) + index * width),
            y=y(share),
            width=rounded(width),
            height=rounded(SMALL.bottom - y(share)),
        )
        for place, share in enumerate(shares)
        if share > 0
    )


def _staircase(shares: Sequence[float], slot: float, y: Scale) -> str:
    points = [(SMALL.left + slot * place, y(share)) for place, share in enumerate(shares)]
    return f"{steps(points)}H{units(SMALL.right)}"


def _places(bars: Sequence[EpsilonBar], slot: float) -> tuple[Tick, ...]:
    """Label whole epsilons where they lie, and the last two bars in their middle."""
    whole = [
        Tick(rounded(SMALL.left + slot * place), plain(bar.low))
        for place, bar in enumerate(bars[:-2])
        if bar.low == int(bar.low)
    ]
    middle = [SMALL.left + slot * (len(bars) - 1.5), SMALL.left + slot * (len(bars) - 0.5)]
    labels = (f"{plain(bars[-2].low)}+", plain(bars[-1].low))
    return (*whole, *(Tick(rounded(at), label) for at, label in zip(middle, labels, strict=True)))


def _row(index: int, found: Sequence[Sequence[EpsilonBar]], ceiling: Sequence[float | None]) -> Row:
    bar = found[0][index]
    if bar.high is None:
        epsilon = f"{plain(bar.low)}, told apart without error"
    else:
        epsilon = f"{plain(bar.low)} to below {plain(bar.high)}"
    shares = tuple(bars[index].unlearned for bars in found)
    return Row(epsilon, _part(bar.points), (*shares, ceiling[index]))


def _part(points: float) -> str:
    """Return the points of an example as they are made: halved with each bin."""
    return str(Fraction(points).limit_denominator(2**40))


def _words(names: Sequence[str], found: Sequence[Sequence[EpsilonBar]]) -> str:
    """Say what a look at it tells: how many examples earn nothing, and how many retraining leaves so."""
    said = [
        f"{name}: {percent(_pointless(bars))} of examples earn no points"
        for name, bars in zip(names, found, strict=True)
    ]
    ceiling = [bar.retrained or 0.0 for bar in found[0] if bar.points == 0]
    if all(bar.retrained is not None for bar in found[0]):
        said.append(f"retraining: {percent(sum(ceiling))}")
    return "; ".join(said) + "."


def _pointless(bars: Sequence[EpsilonBar]) -> float:
    return sum(bar.unlearned for bar in bars if bar.points == 0)
