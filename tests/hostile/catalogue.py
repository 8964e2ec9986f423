"""What an attack is, and the table of what came of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SCORED = "scored"


class Family(StrEnum):
    ARCHIVE = "archive"
    RESOURCE = "resource"
    ESCAPE = "escape"
    LEAK = "leak"
    TIMING = "timing"
    FORGERY = "forgery"
    GRADING = "grading"


@dataclass(frozen=True)
class Attack:
    """A bundle that must come to one end. CANARY and PORT in its source stand for the host's file and listening port."""

    name: str
    family: Family
    source: str
    expected: frozenset[str]  # reason codes, or SCORED
    cutoff: float = 20.0
    neighbour: bool = False  # an honest run goes on beside it, and must leave the same bytes as ever
    check: Callable[[Any], None] | None = None  # of the RunResult
    then: str | None = (
        None  # a second bundle, run afterwards, that reports what it found of the first: nothing
    )
    differs: Mapping[str, frozenset[str]] = field(default_factory=dict)  # back end -> what it comes to there
    why: str = ""  # it differs

    def ends(self, backend: str) -> frozenset[str]:
        return self.differs.get(backend, self.expected)


def attack(name: str, family: Family, source: str, *expected: str, **more: Any) -> Attack:
    assert expected
    return Attack(name, family, source, frozenset(expected), **more)


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    attack: str
    family: str
    backend: str
    verdict: str
    checked: str


def table(rows: list[Row]) -> list[str]:
    """Return the rows as lines of text, in columns."""
    lines = [("attack", "family", "back end", "verdict", "what was checked")]
    lines += sorted(
        ((row.attack, row.family, row.backend, row.verdict, row.checked) for row in rows),
        key=lambda line: (list(Family).index(Family(line[1])), line[0], line[2]),
    )
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return [
        "  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[4]])
        for line in lines
    ]
