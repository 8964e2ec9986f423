"""`lethe competitions`: what there is to take part in, and one of them in full."""

import click

from cli.client.api import Api, JsonObject
from cli.client.config import connection, url_option
from cli.clock import Clock, pass_clock
from cli.errors import reported
from cli.options import examples, json_option, printed
from cli.participant.rules import described
from cli.text import moment, say, table

_WHEN = {
    "upcoming": ("opens", "opens_at"),
    "open": ("closes", "closes_at"),
    "finals": ("closed", "closes_at"),
    "revealed": ("closed", "closes_at"),
}


@examples("lethe competitions", "lethe competitions digits")
@click.command()
@click.argument("slug", metavar="[SLUG]", required=False)
@json_option
@url_option
@pass_clock
@reported
def competitions(clock: Clock, *, slug: str | None, as_json: bool, url: str | None) -> None:
    """List the competitions, the open ones first, or show the competition SLUG: its dates, its limits and my quota.

    Needs no token but for the quota.
    """
    target = connection(url)
    with Api(target) as api:
        found = api.competitions() if slug is None else api.competition(slug)
    if as_json:
        printed(found)
    elif slug is not None:
        click.echo(described(found, target, clock.now()))
    elif found["items"]:
        header = ("slug", "phase", "when", "submissions", "title")
        click.echo(table(header, [_row(one) for one in found["items"]], right=("submissions",)))
    else:
        say("There are no competitions here yet.")


def _row(one: JsonObject) -> tuple[str, ...]:
    word, when = _WHEN.get(str(one.get("phase")), ("closes", "closes_at"))
    return (
        str(one["slug"]),
        str(one.get("phase")),
        f"{word} {moment(one.get(when))}",
        str(one.get("submissions", "-")),
        str(one["title"]),
    )
