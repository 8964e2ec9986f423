"""`lethe log`: what a submission's smoke run printed."""

import json

import click

from cli.client.api import Api
from cli.client.config import connection, url_option
from cli.errors import reported
from cli.text import clean_lines


@click.command()
@click.argument("submission_id", metavar="[ID]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@url_option
@reported
def log(*, submission_id: str | None, as_json: bool, url: str | None) -> None:
    """Print what the smoke run of the submission ID, or of my last one, printed, its traceback included.

    A smoke run is the one run on public data; what runs on hidden data print is not kept.
    """
    target = connection(url)
    target.needed_token()
    with Api(target) as api:
        submission_id = submission_id or api.newest()
        text = api.log(submission_id)
    if as_json:
        click.echo(json.dumps({"id": submission_id, "log": text}, indent=2))
    else:
        click.echo(clean_lines(text), nl=bool(text) and not text.endswith("\n"))
