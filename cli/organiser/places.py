"""The private leaderboard as its organisers look at it: with the places that change."""

from typing import Any

from cli.text import decimals_of, number, table

_HEADER = ("participant", "public place", "private place", "change", "private score")


def drawn(board: dict[str, Any]) -> str:
    """Draw the places on the private split beside those on the public one."""
    rows = [
        (
            row["entrant"],
            "-" if row["public_rank"] is None else str(row["public_rank"]),
            str(row["rank"]),
            _change(row["rank_change"]),
            number(row["score"], decimals_of(board, "score")),
        )
        for row in board["rows"]
    ]
    return table(_HEADER, rows, right=_HEADER[1:])


def _change(places: int | None) -> str:
    if places is None:
        return "-"
    return f"{places:+d}" if places else "="
