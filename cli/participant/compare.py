"""`lethe compare`: which of two submissions is better."""

from collections.abc import Sequence

import click

from cli.client.api import Api, JsonObject
from cli.client.config import connection, url_option
from cli.errors import CliError, reported
from cli.options import examples, json_option, printed
from cli.text import clean, decimals_of, number, reach, say, seconds, table

VERDICTS = {
    "first": "A is better.",
    "second": "B is better.",
    "tied": "They cannot be told apart.",
    "unknown": "It cannot be said which is better.",
}
SCORES = (
    ("official score", "official_score"),
    ("calibrated score", "calibrated_score"),
    ("forgetting", "forgetting_quality"),
    ("retain ratio", "retain_ratio"),
    ("test ratio", "test_ratio"),
)


@examples("lethe compare 4f1c... 9a02...")
@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--competition", "slug", metavar="SLUG", help="The competition of both; else that of A, or of B."
)
@json_option
@url_option
@reported
def compare(*, a: str, b: str, slug: str | None, as_json: bool, url: str | None) -> None:
    """Compare submission A with submission B, by their ids: yours, or one of yours and an entry of the leaderboard."""
    with Api(connection(url)) as api:
        a, b = api.whole(a), api.whole(b)
        found = api.comparison(slug or _competition(api, a, b), a, b)
    if as_json:
        printed(found)
        return
    click.echo(drawn(found))
    say(clean(str(found.get("words", ""))))


def _competition(api: Api, a: str, b: str) -> str:
    """Return the competition of the first, or where that is not one's own, of the second."""
    try:
        found = api.submission(a)
    except CliError as error:
        if error.code != "not_found":
            raise
        found = api.submission(b)
    return str(found.submission.get("competition"))


def drawn(found: JsonObject) -> str:
    """Draw the verdict, then both side by side."""
    digits, first, second = decimals_of(found, "score"), found["first"], found["second"]
    rows: list[Sequence[str]] = [
        (name, number(first.get(key), digits), number(second.get(key), digits)) for name, key in SCORES
    ]
    ends = [reach(one.get("interval_low"), one.get("interval_high"), digits) for one in (first, second)]
    rows.append(("+- of the score that ranks", *ends))
    times = [seconds(one.get("median_seconds"), decimals_of(found, "seconds")) for one in (first, second)]
    rows.append(("median seconds", *times))
    rows += [
        (name, str(first.get(key)), str(second.get(key)))
        for name, key in (("runs", "runs"), ("grader", "grader_version"), ("reference", "reference_version"))
    ]
    header = ("", f"A: {first.get('entrant')}", f"B: {second.get('entrant')}")
    return f"{VERDICTS.get(str(found.get('verdict')), '')} {_gap(found, digits)}\n\n{table(header, rows, right=header[1:])}"


def _gap(found: JsonObject, digits: int) -> str:
    gap = found["difference"]
    if gap.get("value") is None:
        return ""
    said = f"A less B, {found.get('ranked_by')} score: {number(gap['value'], digits)}"
    if gap.get("interval_low") is None:
        return said
    return f"{said}, 95 % interval {number(gap['interval_low'], digits)} to {number(gap['interval_high'], digits)}"
