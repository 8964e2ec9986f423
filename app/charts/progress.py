"""Best score over time: a staircase for each of the first places, and for one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.charts.scale import Frame, Scale, Tick, linear, nice_ticks, plain, rounded, short, steps

FRAME = Frame(420.0, 280.0, 52.0, 318.0, 12.0, 236.0)
NAME = 9
LABEL_GAP = 15.0
DASHES = ("none", "7 3", "2 3", "9 3 2 3", "1 4")


@dataclass(frozen=True)
class Step:
    """A moment at which a best score rose."""

    at: datetime
    score: float


@dataclass(frozen=True)
class Climb:
    """How one entry came to its score."""

    entrant: str
    rank: int
    own: bool
    steps: Sequence[Step]


@dataclass(frozen=True)
class Line:
    """A staircase with its name at its end."""

    climb: Climb
    path: str
    dashes: str
    end_y: float
    label_y: float
    label: str


@dataclass(frozen=True)
class ProgressChart:
    """Lines from each entry's first score until now."""

    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    words: str
    frame: Frame = FRAME


def progress(climbs: Sequence[Climb], until: datetime, least: float = 0.0) -> ProgressChart | None:
    """Lay out climbs, best first, up to `until`, with ticks no closer together than `least`; None where there are none."""
    known = [one for one in climbs if one.steps]
    if not known:
        return None
    first = min(one.steps[0].at for one in known)
    until = max(until, first + timedelta(minutes=1), *(one.steps[-1].at for one in known))
    scores = [step.score for one in known for step in one.steps]
    margin = 0.06 * (max(scores) - min(scores)) or 0.05
    x = linear(first.timestamp(), until.timestamp(), FRAME.left, FRAME.right)
    y = linear(min(scores) - margin, max(scores) + margin, FRAME.bottom, FRAME.top)
    ends = [y(one.steps[-1].score) for one in known]
    lines = tuple(
        Line(
            one,
            _path(one, x, y),
            DASHES[index % len(DASHES)],
            end,
            label,
            f"{one.rank} {short(one.entrant, NAME)}",
        )
        for index, (one, end, label) in enumerate(zip(known, ends, apart(ends), strict=True))
    )
    return ProgressChart(
        lines=lines,
        x_ticks=_days(first, until, x),
        y_ticks=tuple(Tick(y(one), plain(one)) for one in nice_ticks(min(scores), max(scores), 4, least)),
        words=f"{known[0].entrant} leads with {plain(known[0].steps[-1].score)}, since {known[0].steps[-1].at:%Y-%m-%d %H:%M} UTC.",
    )


def apart(places: Sequence[float]) -> list[float]:
    """Move labels, in any order, so far apart that they can be read, and keep them in the picture.

    >>> apart([50.0, 49.0, 100.0])
    [64.0, 49.0, 100.0]
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    found, last = list(places), FRAME.top - LABEL_GAP
    for index in order:
        last = found[index] = max(places[index], last + LABEL_GAP)
    last = FRAME.bottom + LABEL_GAP
    for index in reversed(order):
        last = found[index] = rounded(min(found[index], last - LABEL_GAP))
    return found


def _path(one: Climb, x: Scale, y: Scale) -> str:
    """Return the staircase; of what falls on one place the last step is drawn."""
    drawn = {x(step.at.timestamp()): y(step.score) for step in one.steps}
    end = FRAME.right
    return steps([*drawn.items(), (end, list(drawn.values())[-1])])


def _days(first: datetime, until: datetime, x: Scale) -> tuple[Tick, ...]:
    """Label both ends, with hours where they lie within two days."""
    form = "%d %b %H:%M" if until - first < timedelta(days=2) else "%d %b"
    return tuple(Tick(x(one.timestamp()), one.astimezone(UTC).strftime(form)) for one in (first, until))
