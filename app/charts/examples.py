"""Confidences on the examples that give unlearning away: a band for either kind of model on each."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.charts.scale import Frame, Scale, Tick, linear, nice_ticks, plain, rounded
from app.schemas.plots import TellingExample

ROW = 30.0
LEFT, RIGHT, TOP, FOOT, WIDTH = 74.0, 410.0, 8.0, 40.0, 420.0


@dataclass(frozen=True)
class Band:
    """Where 90 % of a kind's models lie, half of them, and their median."""

    low: float
    start: float
    middle: float
    end: float
    high: float
    y: float

    @property
    def width(self) -> float:
        """Of the half, wide enough to be seen."""
        return max(1.0, rounded(self.end - self.start))


@dataclass(frozen=True)
class Row:
    """One example."""

    y: float
    label: str
    unlearned: Band
    retrained: Band


@dataclass(frozen=True)
class ExamplesChart:
    """Rows with one axis, worst first."""

    rows: tuple[Row, ...]
    x_ticks: tuple[Tick, ...]
    words: str
    frame: Frame


def examples(found: Sequence[TellingExample]) -> ExamplesChart | None:
    """Lay out a row for each example; None where there are none."""
    if not found:
        return None
    values = [value for one in found for value in (*one.unlearned, *one.retrained)]
    x = linear(min(values), max(values), LEFT, RIGHT)
    bottom = TOP + ROW * len(found)
    apart = sum(one.unlearned[0] > one.retrained[-1] or one.unlearned[-1] < one.retrained[0] for one in found)
    return ExamplesChart(
        rows=tuple(_row(index, one, x) for index, one in enumerate(found)),
        x_ticks=tuple(Tick(x(one), plain(one)) for one in nice_ticks(min(values), max(values), 6)),
        words=f"On {apart} of these {len(found)} examples the bands of 90 % of the models do not meet.",
        frame=Frame(WIDTH, bottom + FOOT, LEFT, RIGHT, TOP, bottom),
    )


def _row(index: int, one: TellingExample, x: Scale) -> Row:
    y = TOP + ROW * (index + 0.5)
    return Row(
        y=rounded(y),
        label=f"no. {one.example}",
        unlearned=_band(one.unlearned, x, y - 6),
        retrained=_band(one.retrained, x, y + 6),
    )


def _band(quantiles: Sequence[float], x: Scale, y: float) -> Band:
    low, start, middle, end, high = (x(value) for value in quantiles)
    return Band(low, start, middle, end, high, rounded(y))
