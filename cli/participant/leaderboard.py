"""`lethe leaderboard`: who stands where, and where retraining itself would."""

from contextlib import suppress

import click

from cli.client.api import Api, JsonObject
from cli.client.config import connection, url_option
from cli.errors import CliError, reported, usage_error
from cli.options import examples, json_option, printed
from cli.text import decimals_of, moment, number, plural, reach, say, seconds, table

LEFT = ("entrant", "last submission", "flags")
COLUMNS = {
    "place": "rank",
    "change": "rank_change",
    "official": "official_score",
    "calibrated": "calibrated_score",
    "forgetting": "forgetting_quality",
    "retain": "retain_ratio",
    "test": "test_ratio",
    "seconds": "median_seconds",
    "last submission": "last_at",
}
"""Headings whose columns have another name in the API."""


@examples("lethe leaderboard digits", "lethe leaderboard digits --sort -seconds --csv > board.csv")
@click.command()
@click.argument("slug")
@click.option("--private", is_flag=True, help="The private split's, once it is revealed.")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@click.option(
    "--name", metavar="TEXT", help="Only rows whose participant, team or member has this in the name."
)
@click.option(
    "--sort",
    metavar="COLUMN",
    help="Order by a column, by its heading or its name in the API; -seconds: the largest first.",
)
@url_option
@reported
def leaderboard(
    *,
    slug: str,
    private: bool,
    as_json: bool,
    as_csv: bool,
    name: str | None,
    sort: str | None,
    url: str | None,
) -> None:
    """Show the leaderboard of the competition SLUG.

    Needs no token; with one, my own row is marked in the table.
    """
    if as_json and as_csv:
        raise usage_error("Choose one of --json and --csv.", "bad_option")
    sort = _column(sort) if sort else None
    wanted = (("split", "private" if private else None), ("name", name), ("sort", sort))
    how = {key: value for key, value in wanted if value}
    target = connection(url)
    with Api(target) as api:
        if as_csv:
            click.echo(api.leaderboard_csv(slug, **how), nl=False)
            return
        board = api.leaderboard(slug, **how)
        if as_json:
            printed(board)
            return
        viewer = _viewer(api) if target.token and board["rows"] else None
    click.echo(drawn(board, in_order=sort in {None, "rank", "-score"}, viewer=viewer))
    for note in [f"No row has {name!r} in a name."] if name and not board["rows"] else notes(board):
        say(note)


def _column(sort: str) -> str:
    """Say an order in the API's words.

    >>> _column("-seconds"), _column("median_seconds"), _column("entries")
    ('-median_seconds', 'median_seconds', 'entries')
    """
    sign, heading = ("-", sort[1:]) if sort.startswith("-") else ("", sort)
    return sign + COLUMNS.get(heading, heading)


def _viewer(api: Api) -> str | None:
    """Return my name; None where the service does not tell it, for a board is shown to anybody."""
    with suppress(CliError):
        return str(api.account()["name"])
    return None


def drawn(board: JsonObject, *, in_order: bool = True, viewer: str | None = None) -> str:
    """Draw the table, with the row of retraining, which has no place, where its score puts it, or first."""
    by_calibrated, private = board.get("ranked_by") == "calibrated", board.get("split") == "private"
    shared = {"decimals": board.get("decimals"), "viewer": viewer}
    entries = list(board["rows"])
    retraining = _retraining(board, by_calibrated=by_calibrated)
    if retraining is not None:
        place = sum(entry["score"] >= retraining["score"] for entry in entries) if in_order else 0
        entries.insert(place, retraining)
    rows = [_row(entry | shared, by_calibrated=by_calibrated, private=private) for entry in entries]
    heading = (
        f"{board.get('competition')}, {board.get('split')} split, as of {moment(board.get('as_of'))}, "
        f"ranked by the {board.get('ranked_by', 'official')} score"
    )
    header = _header(by_calibrated=by_calibrated, private=private)
    right = [name for name in header if name not in LEFT]
    return f"{heading}\n\n{table(header, rows, right=right)}"


def notes(board: JsonObject) -> list[str]:
    """Say how ties come about, what the flags mean, and who is not on the board."""
    found = ["Nobody has a place yet."]
    if board["rows"]:
        found = [str(board["tie_rule"])] if board.get("tie_rule") else []
    found += [f"{flag['code']}: {flag['meaning']}" for flag in board.get("flags") or []]
    left_out = (board.get("unranked") or 0) + (board.get("without_score") or 0)
    if left_out:
        found.append(
            f"{plural(left_out, 'scored submission')} not ranked: made under an older reference, "
            "or without the score that ranks."
        )
    return found


def _header(*, by_calibrated: bool, private: bool) -> tuple[str, ...]:
    other = "official" if by_calibrated else "calibrated"
    numbers = ("score", "+-", other, "forgetting", "retain", "test", "seconds", "entries")
    return ("place", *(["change"] if private else []), "entrant", *numbers, "last submission", "flags")


def _retraining(board: JsonObject, *, by_calibrated: bool) -> JsonObject | None:
    """Return the row of retraining under the score that ranks; None while that is not known."""
    found = board.get("retraining")
    if not found:
        return None
    row = {**found, "entrant": "(retraining itself)", "official_score": found["score"]}
    if by_calibrated:  # 1 by definition, and so without an interval
        row |= {"score": found.get("calibrated_score"), "interval_low": None, "interval_high": None}
    return row if row["score"] is not None else None


def _row(entry: JsonObject, *, by_calibrated: bool, private: bool) -> tuple[str, ...]:
    digits = decimals_of(entry, "score")
    return (
        _place(entry),
        *([_change(entry)] if private else []),
        _entrant(entry),
        number(entry.get("score"), digits),
        reach(entry.get("interval_low"), entry.get("interval_high"), digits),
        number(entry.get("official_score" if by_calibrated else "calibrated_score"), digits),
        number(entry.get("forgetting_quality"), digits),
        number(entry.get("retain_ratio"), digits),
        number(entry.get("test_ratio"), digits),
        seconds(entry.get("median_seconds"), decimals_of(entry, "seconds")),
        str(entry.get("entries", "-")),
        moment(entry["last_at"]) if entry.get("last_at") else "-",
        " ".join(entry.get("flags") or []),
    )


def _entrant(entry: JsonObject) -> str:
    """Write a person's name, or a team's and its members', and whether that is me."""
    name, members = str(entry.get("entrant", "-")), entry.get("members") or []
    mine = entry["viewer"] in members
    if entry.get("kind") != "team":
        return f"{name} (you)" if mine else name
    return f"{name} ({'your team: ' if mine else ''}{', '.join(members)})"


def _place(entry: JsonObject) -> str:
    """Write a rank, or the ranks of a tie."""
    first, last = entry.get("band_first"), entry.get("band_last")
    return str(entry.get("rank", "-")) if first == last else f"{first}-{last}"


def _change(entry: JsonObject) -> str:
    """Write the places gained from the public split to the private."""
    if "rank" not in entry:  # retraining
        return "-"
    gained = entry.get("rank_change")
    return "new" if gained is None else f"{gained:+d}" if gained else "="
