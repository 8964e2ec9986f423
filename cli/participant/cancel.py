"""`lethe cancel`: stop a submission of mine."""

from urllib.parse import quote

import click

from cli.client.api import Api
from cli.client.config import connection, url_option
from cli.errors import reported
from cli.options import examples, json_option, printed
from cli.participant.follow import resume_command
from cli.text import say


@examples("lethe cancel", "lethe cancel 4f1c...")
@click.command()
@click.argument("submission_id", metavar="[ID]", required=False)
@json_option
@url_option
@reported
def cancel(*, submission_id: str | None, as_json: bool, url: str | None) -> None:
    """Cancel the submission ID, or the last one that I sent: what runs is killed, and quota returns if no run had begun.

    Prints the submission's id. The exit code is 1 if there is nothing to cancel: it has ended already.
    """
    target = connection(url)
    target.needed_token()
    with Api(target) as api:
        submission_id = api.whole(submission_id) if submission_id else api.newest(by=api.account()["name"])
        answer = api.change(f"submissions/{quote(submission_id, safe='')}/cancel")
    if all(one.get("status") == "done" for one in answer.get("evaluations") or []):
        say("Cancelled.")
    else:
        say(f"Cancelling: what runs is being stopped. Its end: {resume_command(target, submission_id)}")
    if as_json:
        printed(answer)
    else:
        click.echo(submission_id)
