"""Forgetting against utility: who gives up neither for the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from app.charts.scale import SMALL, Frame, Scale, Tick, linear, nice_ticks, path, plain
from app.schemas.boards import LeaderboardOut

MOST = 150
"""Points that are drawn; those on the front always are."""


@dataclass(frozen=True)
class Entry:
    """One entry's two sides; more of either is better."""

    label: str
    utility: float
    forgetting: float
    kind: str = "entry"  # "entry", "own" or "baseline"


@dataclass(frozen=True)
class Point:
    """Where an entry is drawn; those on the front have a letter."""

    entry: Entry
    x: float
    y: float
    letter: str


@dataclass(frozen=True)
class FrontChart:
    """Points, and the line through those that no other entry beats on both sides."""

    points: tuple[Point, ...]
    front: tuple[Point, ...]  # by falling forgetting
    line: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    left_out: int
    words: str
    frame: Frame = SMALL


def of_board(board: LeaderboardOut, own: str | None) -> FrontChart | None:
    """Lay out the entries of a board, among them that of `own` or their team, and retraining; None without an entry."""
    entries = [
        Entry(
            row.entrant,
            row.retain_ratio * row.test_ratio,
            row.forgetting_quality,
            "own" if own in row.members else "entry",
        )
        for row in board.rows
    ]
    if not entries:
        return None
    one = board.retraining
    baseline = (
        None
        if one is None
        else Entry("Retraining", one.retain_ratio * one.test_ratio, one.forgetting_quality, "baseline")
    )
    return chart(entries, baseline, 10.0**-board.decimals.score)


def pareto(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that no other matches on one side and beats on the other, by falling forgetting.

    >>> [one.label for one in pareto([Entry("a", 1, 2), Entry("b", 2, 1), Entry("c", 1, 1), Entry("d", 1, 2)])]
    ['a', 'd', 'b']
    """
    found: list[Entry] = []
    for one in sorted(entries, key=lambda one: (-one.forgetting, -one.utility)):
        last = found[-1] if found else None
        equal = last is not None and (last.forgetting, last.utility) == (one.forgetting, one.utility)
        if last is None or equal or one.utility > last.utility:
            found.append(one)
    return found


def chart(entries: Sequence[Entry], baseline: Entry | None = None, least: float = 0.0) -> FrontChart:
    """Lay out entries, best first, and retraining, with ticks no closer together than `least`."""
    front = pareto(entries)
    shown = [one for index, one in enumerate(entries) if index < MOST or one in front or one.kind == "own"]
    drawn = [*shown, *([] if baseline is None else [baseline])]
    utility, forgetting = [one.utility for one in drawn], [one.forgetting for one in drawn]
    x, x_ticks = _axis(utility, SMALL.left, SMALL.right, least)
    y, y_ticks = _axis(forgetting, SMALL.bottom, SMALL.top, least)
    letters = dict(zip(map(id, front), ascii_uppercase, strict=False))
    points = tuple(Point(one, x(one.utility), y(one.forgetting), letters.get(id(one), "")) for one in drawn)
    of_front = {id(point.entry): point for point in points}
    ordered = tuple(of_front[id(one)] for one in front)
    return FrontChart(
        points=points,
        front=ordered,
        line=path((point.x, point.y) for point in ordered),
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        left_out=len(entries) - len(shown),
        words=f"{len(front)} of {len(entries)} entries {'is' if len(front) == 1 else 'are'} on the front: "
        f"no other entry has as much of both and more of one. First {front[0].label}.",
    )


def _axis(values: Sequence[float], start: float, end: float, least: float) -> tuple[Scale, tuple[Tick, ...]]:
    low, high = min(values), max(values)
    margin = 0.08 * (high - low) or 0.05
    scale = linear(low - margin, high + margin, start, end)
    ticks = nice_ticks(low - margin, high + margin, 4, least)
    return scale, tuple(Tick(scale(one), plain(one)) for one in ticks)
