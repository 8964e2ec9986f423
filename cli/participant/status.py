"""`lethe status`: one submission, or my last one, followed to its end if asked to."""

import click

from cli.client.api import Api
from cli.client.config import connection, url_option
from cli.clock import Clock, pass_clock
from cli.errors import reported
from cli.options import examples, json_option, printed
from cli.participant.follow import check_wait, follow, wait_options
from cli.participant.show import described, exit_code, next_command
from cli.text import say


@examples("lethe status", "lethe status 4f1c... --wait --timeout 600")
@click.command()
@click.argument("submission_id", metavar="[ID]", required=False)
@wait_options
@json_option
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
    check_wait(timeout, wait=wait)
    target = connection(url)
    target.needed_token()
    with Api(target) as api:
        submission_id = api.whole(submission_id) if submission_id else api.newest()
        if wait:
            submission = follow(api, target, submission_id, clock=clock, timeout=timeout)
        else:
            submission = api.submission(submission_id).submission
    if as_json:
        printed(submission)
    else:
        click.echo(described(submission, target))
    if wait:
        say(next_command(submission, target))
    raise click.exceptions.Exit(int(exit_code(submission)))
