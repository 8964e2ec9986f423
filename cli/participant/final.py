"""`lethe final`: which submissions the private split is to rank me by."""

from collections.abc import Sequence

import click

from cli.client.api import JsonObject, signed_in
from cli.client.config import url_option
from cli.errors import reported
from cli.options import examples, json_option, printed
from cli.text import decimals_of, moment, number, say, table


@click.group()
def final() -> None:
    """Choose the final entries that a competition decides by, until it closes."""


@examples("lethe final list digits")
@final.command(name="list")
@click.argument("slug")
@json_option
@url_option
@reported
def list_(*, slug: str, as_json: bool, url: str | None) -> None:
    """Show my final entries in the competition SLUG, and what else could be chosen."""
    with signed_in(url) as api:
        _show(api.finals(slug), as_json=as_json)


@examples("lethe final choose digits 4f1c... 9a02...")
@final.command()
@click.argument("slug")
@click.argument("submission_ids", metavar="ID...", nargs=-1, required=True)
@json_option
@url_option
@reported
def choose(*, slug: str, submission_ids: Sequence[str], as_json: bool, url: str | None) -> None:
    """Make exactly the submissions ID... my final entries, in place of what was chosen before."""
    with signed_in(url) as api:
        _show(api.choose_finals(slug, [api.whole(one) for one in submission_ids]), as_json=as_json)


@examples("lethe final drop digits 4f1c...")
@final.command()
@click.argument("slug")
@click.argument("submission_ids", metavar="[ID]...", nargs=-1)
@json_option
@url_option
@reported
def drop(*, slug: str, submission_ids: Sequence[str], as_json: bool, url: str | None) -> None:
    """Choose the submissions ID... no more; without one, leave the whole choice to the close."""
    with signed_in(url) as api:
        chosen = [one["submission_id"] for one in api.finals(slug)["entries"]]
        dropped = {api.whole(one) for one in submission_ids}
        kept = [one for one in chosen if submission_ids and one not in dropped]
        _show(api.choose_finals(slug, kept, seen=chosen), as_json=as_json)


def _show(found: JsonObject, *, as_json: bool) -> None:
    if as_json:
        printed(found)
        return
    shown = [*found["entries"], *found["candidates"]]
    if shown:
        header = ("id", "submitted", "status", "public score", "final entry", "private split", "note")
        click.echo(table(header, [_row(one, found) for one in shown], right=("public score",)))
    chosen, places = len(found["entries"]), found["places"]
    when = (
        f"locked since {moment(found['closes_at'])}"
        if found["locked"]
        else f"until {moment(found['closes_at'])}"
    )
    say(f"{chosen} of {places} chosen, {when}. {found['rule']}")


def _private(one: JsonObject, found: JsonObject) -> str:
    if one.get("private_score") is not None:
        return number(one["private_score"], decimals_of(found, "score"))
    return str(one.get("private_verdict") or one["evaluation"] or "-")


def _row(one: JsonObject, found: JsonObject) -> tuple[str, ...]:
    state = str(one["state"] or "-")
    return (
        str(one["submission_id"]),
        moment(one["created_at"]),
        str(one["verdict"] or one["status"]),
        number(one["score"], decimals_of(found, "score")),
        f"{state} (automatic)" if one["automatic"] else state,
        _private(one, found),
        str(one["note"]),
    )
