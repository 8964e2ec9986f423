"""`lethe status`: one submission, or my last one, followed to its end if asked to."""

import json

import click

from cli.client.api import Api
from cli.client.config import connection, url_option
from cli.clock import Clock, pass_clock
from cli.errors import reported, usage_error
from cli.participant.follow import follow
from cli.participant.show import described, exit_code


@click.command()
@click.argument("submission_id", metavar="[ID]", required=False)
@click.option("--wait", is_flag=True, help="Follow the runs until there is a score or a reason.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop waiting after this long."
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
    as_json: bool,
    url: str | None,
) -> None:
    """Show the submission ID, or my last one.

    The exit code is 1 if the submission ended without a score. `lethe submissions` lists them all.
    """
    if timeout is not None and not wait:
        raise usage_error("--timeout needs --wait.", "bad_option")
    target = connection(url)
    target.needed_token()
    with Api(target) as api:
        submission_id = submission_id or api.newest()
        if wait:
            submission = follow(api, target, submission_id, clock=clock, timeout=timeout)
        else:
            submission = api.submission(submission_id).submission
    click.echo(json.dumps(submission, indent=2) if as_json else described(submission, target))
    raise click.exceptions.Exit(int(exit_code(submission)))
