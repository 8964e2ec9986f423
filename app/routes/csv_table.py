"""Leaderboard and event log as CSV. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence

from app.schemas.boards import LeaderboardOut
from app.schemas.operations import EventOut
from app.schemas.scores import RetrainingOut
from app.views.arranged import CHOICE

_COLUMNS = (
    "rank",
    "band",
    "band_first",
    "band_last",
    "entrant",
    "kind",
    "members",
    "user",
    "score",
    "interval_low",
    "interval_high",
    "official_score",
    "calibrated_score",
    "flags",
    "forgetting_quality",
    "retain_ratio",
    "test_ratio",
    "entries",
    "last_at",
    "median_seconds",
    "submission_id",
    "public_rank",
    "rank_change",
)
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r")
"""Where some spreadsheet takes a cell for a formula; four are the full-width forms of the first four."""


def leaderboard_csv(board: LeaderboardOut, chosen: Sequence[str] = tuple(CHOICE)) -> str:
    """Return the rows as RFC 4180 CSV, flags and members parted by spaces; the row of retraining comes first, without a rank."""
    text = io.StringIO()
    columns = [name for name in _COLUMNS if name not in _left_out(chosen)]
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore")
    writer.writeheader()
    if board.retraining is not None:
        writer.writerow(_retraining(board, board.retraining))
    for row in board.rows:
        cells = row.model_dump(mode="json") | {"flags": " ".join(row.flags), "members": " ".join(row.members)}
        writer.writerow({name: _inert(cells[name]) for name in columns})
    return text.getvalue()


def _left_out(chosen: Sequence[str]) -> set[str]:
    missing = set(CHOICE) - set(chosen)
    return missing | ({"official_score", "calibrated_score"} if "other" in missing else set())


def _retraining(board: LeaderboardOut, one: RetrainingOut) -> dict[str, object]:
    cells = one.model_dump() | {"entrant": "(retraining from scratch)", "official_score": one.score}
    if board.ranked_by == "calibrated":  # by definition, and so without an interval
        cells |= {"score": one.calibrated_score, "interval_low": None, "interval_high": None}
    return cells


def events_csv(events: Iterable[EventOut]) -> str:
    """Return events as RFC 4180 CSV, in the order given."""
    text = io.StringIO()
    writer = csv.DictWriter(text, EventOut.model_fields)
    writer.writeheader()
    for event in events:
        writer.writerow({name: _inert(cell) for name, cell in event.model_dump(mode="json").items()})
    return text.getvalue()


def _inert(cell: object) -> object:
    """Keep a spreadsheet from reading a name as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
