"""The leaderboard as CSV. Pure."""

import csv
import io

from app.schemas import LeaderboardOut

_COLUMNS = (
    "rank",
    "user",
    "score",
    "forgetting_quality",
    "retain_ratio",
    "test_ratio",
    "entries",
    "last_at",
    "median_seconds",
    "submission_id",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def leaderboard_csv(board: LeaderboardOut) -> str:
    """Return the rows as RFC 4180 CSV; the row of retraining comes first, without a rank."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, restval="")
    writer.writeheader()
    if board.retraining is not None:
        writer.writerow({"user": "(retraining from scratch)", **board.retraining.model_dump()})
    for row in board.rows:
        cells = row.model_dump(mode="json")
        writer.writerow({name: _inert(cells[name]) for name in _COLUMNS})
    return text.getvalue()


def _inert(cell: object) -> object:
    """Keep a spreadsheet from reading a person's name as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
