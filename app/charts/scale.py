"""From values to places: scales, ticks and paths."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Scale = Callable[[float], float]

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Frame:
    """A picture's size, and the edges within it of the area that data are drawn in."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float


SMALL = Frame(420.0, 250.0, 52.0, 410.0, 16.0, 206.0)
"""Two stand side by side on a desk, and one fills a telephone: labels are readable on both."""


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """Return the scale from low..high to start..end; equal ends map to the middle.

    >>> linear(0, 10, 100, 200)(2.5)
    125.0
    """
    if high == low:
        return lambda _: rounded((start + end) / 2)
    return lambda value: rounded(start + (end - start) * (value - low) / (high - low))


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """Return the logarithmic scale from low..high, both above 0; smaller values lie at the start.

    >>> logarithmic(0.001, 1, 0, 300)(0.01)
    100.0
    """
    within = linear(math.log10(low), math.log10(high), start, end)
    return lambda value: within(math.log10(max(value, low)))


def nice_ticks(low: float, high: float, count: int = 5, least: float = 0.0) -> list[float]:
    """Return round numbers within low..high, about `count` of them, and never closer together than `least`.

    >>> nice_ticks(0, 0.23, 5), nice_ticks(3, 3)
    ([0.0, 0.05, 0.1, 0.15, 0.2], [3])
    """
    if high <= low:
        return [low]
    rough = max((high - low) / count, least)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in _STEPS if power * one >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(index * step, digits) for index in range(first, last + 1)]


def plain(value: float) -> str:
    """Return a tick's number without needless zeros.

    >>> plain(0.5), plain(2.0), plain(-1e-12)
    ('0.5', '2', '0')
    """
    return f"{value + 0.0:.6g}" if abs(value) >= 1e-9 else "0"


def percent(share: float) -> str:
    """Return a share for an axis: '0.1 %', '25 %'.

    >>> percent(0.001), percent(0.25)
    ('0.1 %', '25 %')
    """
    return f"{plain(round(100 * share, 3))} %"


def rounded(value: float) -> float:
    """Return a length as finely as it is drawn: a tenth of a unit."""
    return round(value, 1)


def units(value: float) -> str:
    """Return a length in as few characters as it takes.

    >>> units(46.0), units(0.25), units(-0.04)
    ('46', '0.2', '0')
    """
    return f"{rounded(value):g}" if abs(value) >= 0.05 else "0"


def path(points: Iterable[tuple[float, float]]) -> str:
    """Return the path of a line through points.

    >>> path([(0, 1), (2.5, 3)])
    'M0 1L2.5 3'
    """
    return "".join(f"{'L' if index else 'M'}{units(x)} {units(y)}" for index, (x, y) in enumerate(points))


def steps(points: Sequence[tuple[float, float]]) -> str:
    """Return the path of a staircase that keeps each height until the next point.

    >>> steps([(0, 9), (5, 4), (8, 4)])
    'M0 9H5V4H8'
    """
    if not points:
        return ""
    (x, y), *rest = points
    drawn, level = f"M{units(x)} {units(y)}", y
    for x, y in rest:
        drawn += f"H{units(x)}" + ("" if units(y) == units(level) else f"V{units(y)}")
        level = y
    return drawn


def short(name: str, most: int) -> str:
    """Return a name in at most so many characters.

    >>> short("katherine", 6)
    'kathe…'
    """
    return name if len(name) <= most else name[: most - 1] + "…"
