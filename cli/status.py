"""`lethe status`: one submission, followed to its end if asked to, or all of mine."""

import json
from itertools import islice
from typing import Any

import click

from cli.client import Api, JsonObject
from cli.clock import Clock, pass_clock
from cli.config import connection, url_option
from cli.errors import reported, usage_error
from cli.follow import follow
from cli.show import described, exit_code
from cli.text import decimals_of, moment, number, say, table


@click.command()
@click.argument("submission_id", metavar="[ID]", required=False)
@click.option("--wait", is_flag=True, help="Follow the runs until there is a score or a reason.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop waiting after this long."
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Longest list without ID."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@url_option
@pass_clock
@reported
def status(
    clock: Clock,
    submission_id: str | None,
    *,
    wait: bool,
    timeout: float | None,
    limit: int,
    as_json: bool,
    url: str | None,
) -> None:
    """Show the submission ID, or list my submissions, newest first.

    With an ID, the exit code is 1 if the submission ended without a score.
    """
    if wait and submission_id is None:
        raise usage_error("--wait needs a submission's ID.", "bad_option")
    if timeout is not None and not wait:
        raise usage_error("--timeout needs --wait.", "bad_option")
    target = connection(url)
    target.needed_token()
    with Api(target) as api:
        if submission_id is None:
            _list(list(islice(api.submissions(), limit)), as_json=as_json)
            return
        if wait:
            submission = follow(api, target, submission_id, clock=clock, timeout=timeout)
        else:
            submission = api.submission(submission_id).submission
    click.echo(json.dumps(submission, indent=2) if as_json else described(submission, target))
    raise click.exceptions.Exit(int(exit_code(submission)))


def _list(items: list[JsonObject], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"items": items}, indent=2))
    elif items:
        header = ("id", "competition", "submitted", "status", "score", "which", "note")
        click.echo(table(header, [_row(item) for item in items], right=("score",)))
    else:
        say("No submissions yet. Make the first: lethe submit FOLDER --competition SLUG")


def _row(item: JsonObject) -> tuple[str, ...]:
    return (
        str(item.get("id")),
        str(item.get("competition")),
        moment(item.get("created_at")),
        _state(item),
        number(item.get("score"), decimals_of(item, "score")),
        f"{item['ranked_by']} score" if item.get("ranked_by") and item.get("score") is not None else "",
        str(item.get("note") or ""),
    )


def _state(item: JsonObject) -> str:
    if item.get("verdict"):
        reason: Any = item.get("reason")
        return str(item["verdict"]).replace("_", " ") + (f" ({reason})" if reason else "")
    return f"{item.get('status')} ({item.get('runs_done', 0)}/{item.get('runs_total', 0)})"
