"""A leaderboard as somebody asks to see it: filtered by name, sorted by a column, with the columns that they chose.

Pure. A row's rank is its true one, whatever else is shown or in which order.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app.competitions import Split
from app.errors import LetheError
from app.schemas.boards import LeaderboardOut, LeaderboardRow

LONGEST_NAME = 64
UPWARDS = ("rank", "entrant")
"""Sorted upwards unless asked otherwise; all others begin with the largest."""
CHOICE = {
    "other": "the other score",
    "forgetting_quality": "Forgetting",
    "retain_ratio": "Retain",
    "test_ratio": "Test",
    "median_seconds": "Median run",
    "entries": "Entries",
    "last_at": "Last",
}
"""Columns that may be left out; place, name and score always stand there."""
SORTS = (
    "rank",
    "rank_change",
    "entrant",
    "score",
    "official_score",
    "calibrated_score",
    "forgetting_quality",
    "retain_ratio",
    "test_ratio",
    "median_seconds",
    "entries",
    "last_at",
)


class InvalidArrangement(LetheError):  # noqa: N818 - named like its siblings in app.errors
    """The leaderboard is asked for in a way in which it cannot be shown."""

    status = 422
    code = "invalid_arrangement"
    title = "The leaderboard cannot be shown like this"


@dataclass(frozen=True)
class Arrangement:
    """What is shown of a board, and in which order."""

    name: str = ""
    sort: str = "rank"
    descending: bool = False
    columns: tuple[str, ...] = tuple(CHOICE)
    split: Split = "public"

    @property
    def is_default(self) -> bool:
        """Whether it is a split's board as everybody sees it first."""
        return self == Arrangement(split=self.split)

    @property
    def tag(self) -> str:
        """What makes an ETag of another arrangement another."""
        return "" if self.is_default else "-" + hashlib.sha256(self.query().encode()).hexdigest()[:12]

    def query(self, **changes: Any) -> str:
        """Return it as a query string, with something else in some places; nothing for what is as usual."""
        values = {**vars(self), **changes}
        found: dict[str, str] = {}
        if values["split"] != "public":
            found["split"] = values["split"]
        if values["name"]:
            found["name"] = values["name"]
        if (values["sort"], values["descending"]) != ("rank", False):
            found["sort"] = ("-" if values["descending"] else "") + values["sort"]
        if values["columns"] != tuple(CHOICE):
            found["columns"] = ",".join(values["columns"]) or "none"
        return f"?{urlencode(found, safe=',')}" if found else ""

    def rows_query(self) -> str:
        """Return the query string for whoever takes all columns."""
        return self.query(columns=tuple(CHOICE))

    def sorted_by(self, column: str) -> str:
        """Return the query string that sorts by a column, the other way round if it is sorted by it already."""
        upwards = column in UPWARDS
        turned = not self.descending if column == self.sort else not upwards
        return self.query(sort=column, descending=turned) or "?"

    def direction(self, column: str) -> str | None:
        """Return the value of aria-sort of a column; None where the rows are not in its order."""
        if column != self.sort:
            return None
        return "descending" if self.descending else "ascending"


def arrangement(
    name: str | None, sort: str | None, columns: Sequence[str] | None, split: Split = "public"
) -> Arrangement:
    """Return what is asked for. Raises InvalidArrangement, which says what is allowed.

    >>> arrangement(" Ada ", "-entries", ["entries,last_at"])
    Arrangement(name='Ada', sort='entries', descending=True, columns=('entries', 'last_at'), split='public')
    """
    found = sort or "rank"
    column = found.removeprefix("-")
    if column not in SORTS:
        raise InvalidArrangement(
            f"sort is {sort!r:.40}, which is no column.",
            advice=f"Sort by one of {', '.join(SORTS)}; put '-' before it for the largest first.",
        )
    return Arrangement(_name(name or ""), column, found.startswith("-"), _columns(columns or []), split)


def _name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise InvalidArrangement(
            f"A name has at most {LONGEST_NAME} characters.",
            advice="Filter by a part of the name of a participant, a team or a member.",
        )
    return name.strip()


def _columns(given: Sequence[str]) -> tuple[str, ...]:
    names = [one for part in given for one in part.split(",") if one]
    if not names:
        return tuple(CHOICE)
    unknown = [one for one in names if one not in CHOICE and one != "none"]
    if unknown or len(names) > len(CHOICE) + 1:
        raise InvalidArrangement(
            f"columns names {unknown[0]!r:.40}, which is no column."
            if unknown
            else "columns names too many.",
            advice=f"Choose among {', '.join(CHOICE)}, parted by commas; or none.",
        )
    return tuple(one for one in CHOICE if one in names)


def arranged(board: LeaderboardOut, how: Arrangement) -> LeaderboardOut:
    """Return the board with the rows that are asked for, in their order; those of equal value by rank."""
    wanted = how.name.casefold()
    rows = [row for row in board.rows if wanted in row.entrant.casefold() or _is_member(wanted, row)]
    rows.sort(key=lambda row: _key(row, how.sort), reverse=how.descending)
    known = [row for row in rows if getattr(row, how.sort) is not None]
    unknown = [row for row in rows if getattr(row, how.sort) is None]
    return board.model_copy(update={"rows": known + unknown})


def _is_member(wanted: str, row: LeaderboardRow) -> bool:
    return any(wanted in member.casefold() for member in row.members)


def _key(row: LeaderboardRow, column: str) -> Any:
    value = getattr(row, column)
    if value is None:
        return 0.0
    return value.casefold() if isinstance(value, str) else value
