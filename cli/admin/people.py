"""`lethe admin disqualify`, `reinstate` and `quota`: decide about submissions and entrants of a service."""

from urllib.parse import quote

import click

from cli.admin.service import json_option, printed, reason_option, service
from cli.client.config import url_option
from cli.errors import reported, usage_error
from cli.text import say


def _path(submission_id: str | None, entrant: str | None, competition: str | None) -> str:
    """Return what is decided about. Raises CliError unless it is one submission or one entrant."""
    if submission_id and not (entrant or competition):
        return f"admin/submissions/{quote(submission_id, safe='')}"
    if entrant and competition and not submission_id:
        return _entrant(entrant, competition)
    raise usage_error("Name a SUBMISSION, or --entrant and --competition.", "bad_option")


def _entrant(name: str, slug: str) -> str:
    return f"admin/competitions/{quote(slug, safe='')}/entrants/{quote(name, safe='')}"


@click.command()
@click.argument("submission_id", metavar="[SUBMISSION]", required=False)
@click.option("--entrant", metavar="NAME", help="All of somebody's, or their team's, instead of one.")
@click.option("--competition", metavar="SLUG", help="In which competition; with --entrant.")
@reason_option
@json_option
@url_option
@reported
def disqualify(
    *,
    submission_id: str | None,
    entrant: str | None,
    competition: str | None,
    reason: str,
    as_json: bool,
    url: str | None,
) -> None:
    """Let a SUBMISSION count nowhere, or all of an entrant's. Whom it concerns reads the reason."""
    with service(url) as api:
        answer = api.change(f"{_path(submission_id, entrant, competition)}/disqualify", {"reason": reason})
    if as_json:
        printed(answer)
    say("Disqualified. Bring it back with `lethe admin reinstate`.")


@click.command()
@click.argument("submission_id", metavar="[SUBMISSION]", required=False)
@click.option("--entrant", metavar="NAME", help="All of somebody's, or their team's, instead of one.")
@click.option("--competition", metavar="SLUG", help="In which competition; with --entrant.")
@reason_option
@json_option
@url_option
@reported
def reinstate(
    *,
    submission_id: str | None,
    entrant: str | None,
    competition: str | None,
    reason: str,
    as_json: bool,
    url: str | None,
) -> None:
    """Let a SUBMISSION count again, or all of an entrant's."""
    with service(url) as api:
        answer = api.change(f"{_path(submission_id, entrant, competition)}/reinstate", {"reason": reason})
    if as_json:
        printed(answer)
    say("Reinstated.")


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
    with service(url) as api:
        answer = api.change(f"{_entrant(name, competition)}/quota", wanted)
    if as_json:
        printed(answer)
    say(f"{name} has {answer['quota']['remaining']} of {answer['quota']['limit']} left today.")
