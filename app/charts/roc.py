"""What the membership attack finds at each rate of false alarms, down to one in a thousand."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.charts.scale import SMALL, Frame, Tick, linear, logarithmic, path, percent
from app.schemas.plots import RocPoint

LEAST = 0.001
MARKED = (0.001, 0.01)
_X = logarithmic(LEAST, 1, SMALL.left, SMALL.right)
_Y = linear(0, 1, SMALL.bottom, SMALL.top)
_CHANCE = tuple(10 ** (-3 + index / 8) for index in range(25))


@dataclass(frozen=True)
class Mark:
    """What is found at one of the rates that are looked at most."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Line:
    """One submission's curve."""

    path: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Row:
    """A line of the table under it."""

    rate: str
    found: tuple[float, ...]  # by each submission


@dataclass(frozen=True)
class RocChart:
    """Curves of one submission or two, and that of chance."""

    lines: tuple[Line, ...]
    chance: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]
    words: str
    frame: Frame = SMALL


def roc(names: Sequence[str], curves: Sequence[Sequence[RocPoint]]) -> RocChart | None:
    """Lay out the curves on one logarithmic axis; None where there are none, or they were taken at other rates."""
    rates = {tuple(point.false_positive_rate for point in curve) for curve in curves}
    if len(rates) != 1 or not curves[0]:
        return None
    return RocChart(
        lines=tuple(_line(curve) for curve in curves),
        chance=path((_X(one), _Y(one)) for one in _CHANCE),
        x_ticks=tuple(Tick(_X(one), percent(one)) for one in (0.001, 0.01, 0.1, 1)),
        y_ticks=tuple(Tick(_Y(one), percent(one)) for one in (0, 0.25, 0.5, 0.75, 1)),
        rows=tuple(
            Row(percent(rate), tuple(curve[index].true_positive_rate for curve in curves))
            for index, rate in enumerate(rates.pop())
        ),
        words=_words(names, curves),
    )


def _line(curve: Sequence[RocPoint]) -> Line:
    shown = [point for point in curve if point.false_positive_rate >= LEAST]
    places = [(_X(point.false_positive_rate), _Y(point.true_positive_rate)) for point in shown]
    marks = tuple(
        Mark(x, y, percent(round(point.true_positive_rate, 3)))
        for point, (x, y) in zip(shown, places, strict=True)
        if point.false_positive_rate in MARKED
    )
    return Line(path(places), marks)


def _words(names: Sequence[str], curves: Sequence[Sequence[RocPoint]]) -> str:
    said = []
    for name, curve in zip(names, curves, strict=True):
        at = [
            f"{percent(round(point.true_positive_rate, 3))} at {percent(point.false_positive_rate)} false alarms"
            for point in curve
            if point.false_positive_rate in MARKED
        ]
        said.append(f"{name}: the attack finds {' and '.join(at)}")
    return "; ".join(said) + ". Chance finds as many as it raises false alarms."
