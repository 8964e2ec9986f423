"""`lethe admin evaluations`, `cancel`, `events` and `overview`: look at everybody's, as an admin or organiser of a service."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click

from cli.admin.reasons import reason_option
from cli.client.api import JsonObject, signed_in
from cli.client.config import url_option
from cli.errors import reported
from cli.options import examples, json_option, printed
from cli.text import decimals_of, facts, moment, number, plural, say, table

_FILTERS = (
    "competition",
    "person",
    "status",
    "verdict",
    "reason",
    "split",
    "worker",
    "device",
    "since",
    "until",
    "shown",
)


def filters(*without: str) -> Callable[[Any], Any]:
    """Offer what evaluations are filtered by, but for some."""

    def offered(command: Any) -> Any:
        for name in reversed([one for one in _FILTERS if one not in without]):
            kind = {"type": click.Choice(["yes", "no"])} if name == "shown" else {"metavar": name.upper()}
            command = click.option(f"--{name}", help=_help(name), **kind)(command)
        return command

    return offered


def _help(name: str) -> str:
    special = {
        "since": "Made on this UTC day or later, as 2026-01-31.",
        "until": "Made on this UTC day or earlier.",
        "shown": "Only those that are shown for their split (yes), or only the others (no).",
    }
    return special.get(name, f"Only of this {name}.")


@examples("lethe admin evaluations --competition digits --verdict timed_out")
@click.command()
@filters()
@click.option("--cursor", help="Go on where `next_cursor` of an earlier answer points.")
@json_option
@url_option
@reported
def evaluations(*, as_json: bool, url: str | None, **wanted: str | None) -> None:
    """List everybody's evaluations, newest first, by any filter."""
    params = {name: value for name, value in wanted.items() if value}
    with signed_in(url) as api:
        found = api.read("admin/evaluations", params)
    if as_json:
        printed(found)
        return
    header = ("evaluation", "submission", "entrant", "competition", "split", "state", "score", "made")
    click.echo(table(header, [_row(one) for one in found["items"]], right=("score",)))
    if found.get("next_cursor"):
        say(f"{found['total']} match. More: add --cursor {found['next_cursor']}")


def _row(one: JsonObject) -> tuple[str, ...]:
    state = str(one["verdict"] or one["status"]).replace("_", " ")
    marks = " (disqualified)" if one["disqualified"] else ""
    return (
        one["id"],
        one["submission_id"][:8],
        one["name"],
        one["competition"],
        f"{one['split']}, {one['generation']}{', shown' if one['published'] else ''}",
        state + (f" ({one['reason']})" if one["reason"] else "") + marks,
        number(one["score"], decimals_of(one, "score")),
        moment(one["created_at"]),
    )


@examples('lethe admin cancel 77ab... --reason "stuck after the power cut"')
@click.command()
@click.argument("evaluation_ids", metavar="EVALUATION...", nargs=-1, required=True)
@reason_option
@json_option
@url_option
@reported
def cancel(*, evaluation_ids: tuple[str, ...], reason: str, as_json: bool, url: str | None) -> None:
    """Stop evaluations by their ids, and with them the runs that are under way."""
    answers = []
    with signed_in(url) as api:
        for one in evaluation_ids:
            answer = api.change(f"admin/evaluations/{quote(one, safe='')}/cancel", {"reason": reason})
            say(f"{one}: {'cancelled' if answer['status'] == 'done' else 'cancelling'}")
            answers.append(answer)
    if as_json:
        printed({"evaluations": answers})


@examples("lethe admin events --kind evaluation. --since 2026-01-31", "lethe admin events --csv > events.csv")
@click.command()
@click.option("--kind", help="A kind, such as evaluation.done, or a group with a dot at its end.")
@click.option("--actor", help="Who did it.")
@click.option("--submission", metavar="ID", help="What it is about.")
@click.option("--since", metavar="DAY", help="UTC day, as 2026-01-31.")
@click.option("--until", metavar="DAY", help="UTC day.")
@click.option("--after", metavar="NUMBER", help="Only events with a greater number.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the newest 20,000 as CSV, newest first.")
@json_option
@url_option
@reported
def events(*, as_csv: bool, as_json: bool, url: str | None, **wanted: str | None) -> None:
    """Print the event log, oldest first: 500 events at most."""
    params = {name: value for name, value in wanted.items() if value}
    with signed_in(url) as api:
        if as_csv:
            params.pop("after", None)
            click.echo(api.text("admin/events.csv", params), nl=False)
            return
        found = api.read("admin/events", {"limit": "500", **params})
    if as_json:
        printed(found)
        return
    header = ("no.", "when", "what", "who", "submission", "detail")
    rows = [
        (
            str(one["id"]),
            moment(one["at"]),
            one["kind"],
            one["actor"],
            (one["submission_id"] or "")[:8],
            one["detail"],
        )
        for one in found["items"]
    ]
    click.echo(table(header, rows, right=("no.",)))


@examples("lethe admin overview")
@click.command()
@json_option
@url_option
@reported
def overview(*, as_json: bool, url: str | None) -> None:
    """Say what waits, what runs, and what needs somebody."""
    with signed_in(url) as api:
        found = api.read("admin/overview")
    if as_json:
        printed(found)
        return
    waiting = [
        f"{one['runs']} for {one['device_class']}, {one['lane']} lane, since {moment(one['oldest_at'])}"
        + ("" if one["served"] else ": no such worker is alive")
        for one in found["waiting"]
    ]
    workers = ", ".join(f"{count} {state}" for state, count in found["workers"].items())
    ready = [one for one in found["reruns"] if one["state"] == "ready"]
    click.echo(
        facts(
            [
                ("runs queued", "; ".join(waiting) or "none"),
                ("runs running", str(found["running"])),
                ("workers", workers or "none"),
                ("stalled", plural(found["stalled"], "evaluation")),
                ("reruns", f"{len(found['reruns'])} open, {len(ready)} to be decided"),
                ("drifted", plural(len(found["drifted"]), "device")),
            ]
        )
    )
