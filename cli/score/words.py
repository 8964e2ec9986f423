"""Numbers, facts and tables of a report, as wide as the terminal, and plain text off it."""

import math
from collections.abc import Sequence
from typing import Protocol

from rich.console import Console
from rich.table import Table

Fact = tuple[str, str, str]
"""A name, a value and what it means."""

WORDS = {
    "ks": "Kolmogorov-Smirnov",
    "ks_p": "Kolmogorov-Smirnov, p",
    "mmd": "MMD, squared",
    "jensen_shannon": "Jensen-Shannon, bits",
    "classifier_p": "classifier accuracy, p",
}


NARROWEST = 80
"""Columns that the tables need; a narrower terminal breaks lines rather than lose digits."""


class Between(Protocol):
    """Anything with two ends."""

    @property
    def low(self) -> float:
        """The lower end."""

    @property
    def high(self) -> float:
        """The upper end."""


def number(value: float | None) -> str:
    """Write four decimals, or a dash for what is not known.

    >>> number(0.5), number(float("nan")), number(None)
    ('0.5000', '-', '-')
    """
    return "-" if value is None or math.isnan(value) else f"{value:.4f}"


def share(value: float | None) -> str:
    """Write a percentage.

    >>> share(0.125)
    '12.5%'
    """
    return "-" if value is None else f"{value:.1%}"


def around(value: float | None, interval: Between | None) -> str:
    """Write a number with its interval, where both are known."""
    if interval is None or value is None or math.isnan(value) or not math.isfinite(interval.low):
        return number(value)
    return f"{number(value)}  ({number(interval.low)} to {number(interval.high)})"


def words(name: str) -> str:
    """Name a field as people would.

    >>> words("ks_p"), words("attack_auc")
    ('Kolmogorov-Smirnov, p', 'attack auc')
    """
    return WORDS.get(name, name.replace("_", " "))


def stdout() -> Console:
    """Return a console for stdout that is at least as wide as the tables need.

    >>> stdout().width >= NARROWEST
    True
    """
    found = Console(highlight=False)
    found.width = max(NARROWEST, found.width)
    return found


def line(console: Console, text: str) -> None:
    """Print a line of text as it is."""
    console.print(text, markup=False)


def facts(console: Console, title: str, found: Sequence[Fact]) -> None:
    """Print names, values and what they mean; the last wraps."""
    if not found:
        return
    if title:
        line(console, f"\n{title}")
    grid = Table.grid(padding=(0, 2))
    for no_wrap in (True, True, False):
        grid.add_column(no_wrap=no_wrap)
    for fact in found:
        grid.add_row(*fact)
    console.print(grid)


def table(header: Sequence[str]) -> Table:
    """Return an empty table whose inner columns hold numbers."""
    made = Table(box=None, pad_edge=False, header_style="")
    for index, name in enumerate(header):
        made.add_column(name, justify="right" if 0 < index < len(header) - 1 else "left")
    return made
