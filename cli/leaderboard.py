"""`lethe leaderboard`: who stands where, and where retraining itself would."""

import json

import click

from cli.client import Api, JsonObject
from cli.config import connection, url_option
from cli.errors import reported, usage_error
from cli.text import moment, number, say, table

HEADER = (
    "rank",
    "participant",
    "score",
    "forgetting",
    "retain",
    "test",
    "seconds",
    "entries",
    "last submission",
)
RIGHT = ("rank", "score", "forgetting", "retain", "test", "seconds", "entries")


@click.command()
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@url_option
@reported
def leaderboard(*, slug: str, as_json: bool, as_csv: bool, url: str | None) -> None:
    """Show the public leaderboard of the competition SLUG; no token needed."""
    if as_json and as_csv:
        raise usage_error("Choose one of --json and --csv.", "bad_option")
    with Api(connection(url)) as api:
        if as_csv:
            click.echo(api.leaderboard_csv(slug), nl=False)
            return
        board = api.leaderboard(slug)
    if as_json:
        click.echo(json.dumps(board, indent=2))
        return
    click.echo(drawn(board))
    if not board["rows"]:
        say("Nobody has a score yet.")


def drawn(board: JsonObject) -> str:
    """Draw the table, with the row of retraining, which has no rank, where its score puts it."""
    rows = [(entry["score"], _row(entry)) for entry in board["rows"]]
    if retraining := board.get("retraining"):
        place = sum(score >= retraining["score"] for score, _ in rows)
        rows.insert(
            place, (retraining["score"], _row({**retraining, "rank": "-", "user": "(retraining itself)"}))
        )
    heading = f"{board.get('competition')}, {board.get('split')} split, as of {moment(board.get('as_of'))}"
    return f"{heading}\n\n{table(HEADER, [row for _, row in rows], right=RIGHT)}"


def _row(entry: JsonObject) -> tuple[str, ...]:
    return (
        str(entry.get("rank", "-")),
        str(entry.get("user", "-")),
        number(entry.get("score")),
        number(entry.get("forgetting_quality")),
        number(entry.get("retain_ratio")),
        number(entry.get("test_ratio")),
        number(entry.get("median_seconds"), 1),
        str(entry.get("entries", "-")),
        moment(entry["last_at"]) if entry.get("last_at") else "-",
    )
