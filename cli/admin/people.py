"""`lethe admin entrants`, `disqualify`, `reinstate` and `quota`: look at entrants of a service, and decide about them."""

from typing import Any
from urllib.parse import quote

import click

from cli.admin.reasons import reason_option
from cli.client.api import signed_in
from cli.client.config import url_option
from cli.errors import reported, usage_error
from cli.options import examples, json_option, printed
from cli.text import moment, say, table


@examples("lethe admin entrants digits", "lethe admin entrants digits --name ada")
@click.command()
@click.argument("slug", required=False)
@click.option("--name", metavar="TEXT", help="Only names that hold this.")
@click.option("--cursor", help="Go on where `next_cursor` of an earlier answer points.")
@json_option
@url_option
@reported
def entrants(*, slug: str | None, as_json: bool, url: str | None, **wanted: str | None) -> None:
    """List who has submitted to the competition SLUG, or to all, and who is disqualified."""
    params = {name: value for name, value in {"competition": slug, **wanted}.items() if value}
    with signed_in(url) as api:
        found = api.read("admin/entrants", params)
    if as_json:
        printed(found)
        return
    rows = [
        (
            one["competition"],
            one["name"],
            str(one["submissions"]),
            moment(one["last_at"]),
            "disqualified" if one["disqualified"] else "counts",
        )
        for one in found["items"]
    ]
    header = ("competition", "entrant", "submissions", "last", "state")
    click.echo(table(header, rows, right=("submissions",)))
    if not rows:
        say("No entrants, or no such competition of yours.")
    if found.get("next_cursor"):
        say(f"More: add --cursor {found['next_cursor']}")


def _path(submission_id: str | None, entrant: str | None, competition: str | None) -> str:
    """Return what is decided about. Raises CliError unless it is one submission or one entrant."""
    if submission_id and not (entrant or competition):
        return f"admin/submissions/{quote(submission_id, safe='')}"
    if entrant and competition and not submission_id:
        return _entrant(entrant, competition)
    raise usage_error("Name a SUBMISSION, or --entrant and --competition.", "bad_option")


def _entrant(name: str, slug: str) -> str:
    return f"admin/competitions/{quote(slug, safe='')}/entrants/{quote(name, safe='')}"


def _concerning(command: Any) -> click.Command:
    """Make a command that decides about one submission, or about all of an entrant's."""
    for option in (
        reported,
        url_option,
        json_option,
        reason_option,
        click.option("--competition", metavar="SLUG", help="In which competition; with --entrant."),
        click.option("--entrant", metavar="NAME", help="All of somebody's, or their team's, instead of one."),
        click.argument("submission_id", metavar="[SUBMISSION]", required=False),
    ):
        command = option(command)
    return click.command()(command)


@examples(
    'lethe admin disqualify 4f1c... --reason "reads the labels"',
    'lethe admin disqualify --entrant eve --competition digits --reason "two accounts"',
)
@_concerning
def disqualify(*, reason: str, as_json: bool, url: str | None, **whom: str | None) -> None:
    """Let a SUBMISSION count nowhere, or all of an entrant's. Whom it concerns reads the reason."""
    _decide("disqualify", whom, reason, url, as_json=as_json)
    say("Disqualified. Bring it back with `lethe admin reinstate`.")


@examples('lethe admin reinstate 4f1c... --reason "explained"')
@_concerning
def reinstate(*, reason: str, as_json: bool, url: str | None, **whom: str | None) -> None:
    """Let a SUBMISSION count again, or all of an entrant's."""
    _decide("reinstate", whom, reason, url, as_json=as_json)
    say("Reinstated.")


def _decide(what: str, whom: dict[str, str | None], reason: str, url: str | None, *, as_json: bool) -> None:
    with signed_in(url) as api:
        answer = api.change(f"{_path(**whom)}/{what}", {"reason": reason})
    if as_json:
        printed(answer)


@examples(
    'lethe admin quota ada 2 --competition digits --reason "lost to our fault"',
    'lethe admin quota ada --competition digits --reason "too many" -- -1',
)
@click.command()
@click.argument("name")
@click.argument("amount", type=int)
@click.option("--competition", metavar="SLUG", required=True, help="In which competition.")
@click.option("--day", metavar="DAY", help="Only on this UTC day, as 2026-01-31; without it, every day.")
@reason_option
@json_option
@url_option
@reported
def quota(
    *,
    name: str,
    amount: int,
    competition: str,
    day: str | None,
    reason: str,
    as_json: bool,
    url: str | None,
) -> None:
    """Give NAME that AMOUNT of submissions, or take some: `lethe admin quota ada -- -1 ...`."""
    wanted = {"amount": amount, "day": day, "reason": reason}
    with signed_in(url) as api:
        answer = api.change(f"{_entrant(name, competition)}/quota", wanted)
    if as_json:
        printed(answer)
    say(f"{name} has {answer['quota']['remaining']} of {answer['quota']['limit']} left today.")
