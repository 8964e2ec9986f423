"""`lethe submissions`: one's own, as a table, as CSV or as JSON."""

import csv
import io
import shutil
import sys
from itertools import islice
from typing import Any

import click

from cli.client.api import JsonObject, signed_in
from cli.client.config import url_option
from cli.errors import reported, usage_error
from cli.options import examples, json_option, printed
from cli.text import decimals_of, moment, number, say, table

_COLUMNS = (
    "id",
    "competition",
    "created_at",
    "status",
    "verdict",
    "reason",
    "score",
    "ranked_by",
    "runs_done",
    "runs_total",
    "note",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@examples("lethe submissions --competition digits", "lethe submissions --csv > mine.csv")
@click.command()
@click.option("--competition", "-c", metavar="SLUG", help="Only those of one competition.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@url_option
@reported
def submissions(*, competition: str | None, limit: int, as_csv: bool, as_json: bool, url: str | None) -> None:
    """List my submissions, newest first."""
    if as_csv and as_json:
        raise usage_error("Choose one of --csv and --json.", "bad_option")
    with signed_in(url) as api:
        items = list(islice(api.submissions(competition), limit))
    if as_json:
        printed({"items": items})
    elif as_csv:
        click.echo(_csv(items), nl=False)
    elif items:
        header = ("id", "competition", "submitted (UTC)", "status", "score", "which", "note")
        click.echo(table(header, _fitted(header, [_row(item) for item in items]), right=("score",)))
    else:
        say("No submissions yet. Make the first: lethe submit FOLDER --competition SLUG")


def _row(item: JsonObject) -> tuple[str, ...]:
    return (
        str(item.get("id")),
        str(item.get("competition")),
        moment(item.get("created_at")).removesuffix(" UTC"),
        _state(item),
        number(item.get("score"), decimals_of(item, "score")),
        str(item["ranked_by"]) if item.get("ranked_by") and item.get("score") is not None else "",
        str(item.get("note") or ""),
    )


def _fitted(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Cut notes short in a terminal that is too narrow for them; off a terminal nothing is lost."""
    if not sys.stdout.isatty():
        return rows
    others = sum(max(len(row[i]) for row in (header, *rows)) + 2 for i in range(len(header) - 1))
    room = max(len(header[-1]), shutil.get_terminal_size().columns - others)
    return [
        (*row[:-1], row[-1] if len(row[-1]) <= room else f"{row[-1][: room - 3].rstrip()}...") for row in rows
    ]


def _state(item: JsonObject) -> str:
    if item.get("verdict"):
        reason: Any = item.get("reason")
        return str(item["verdict"]).replace("_", " ") + (f" ({reason})" if reason else "")
    return f"{item.get('status')} ({item.get('runs_done', 0)}/{item.get('runs_total', 0)})"


def _csv(items: list[JsonObject]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(_COLUMNS)
    writer.writerows([_cell(item.get(name)) for name in _COLUMNS] for item in items)
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    """Keep a spreadsheet from running words of other people as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
