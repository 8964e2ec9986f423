"""`lethe competitions`: what there is to take part in."""

import click

from cli.client.api import Api
from cli.client.config import connection, url_option
from cli.errors import reported
from cli.options import examples, json_option, printed
from cli.text import moment, say, table

_WHEN = {
    "upcoming": ("opens", "opens_at"),
    "open": ("closes", "closes_at"),
    "finals": ("closed", "closes_at"),
    "revealed": ("closed", "closes_at"),
}


@examples("lethe competitions")
@click.command()
@json_option
@url_option
@reported
def competitions(*, as_json: bool, url: str | None) -> None:
    """List the competitions, the open ones first. Needs no token."""
    with Api(connection(url)) as api:
        found = api.competitions()
    if as_json:
        printed(found)
        return
    rows = []
    for one in found["items"]:
        word, when = _WHEN.get(str(one.get("phase")), ("closes", "closes_at"))
        dates = f"{word} {moment(one.get(when))}"
        rows.append(
            (
                str(one["slug"]),
                str(one.get("phase")),
                dates,
                str(one.get("submissions", "-")),
                str(one["title"]),
            )
        )
    if not rows:
        say("There are no competitions here yet.")
        return
    click.echo(table(("slug", "phase", "when", "submissions", "title"), rows, right=("submissions",)))
