"""`lethe admin rerun`: grade many again, look at who would move, apply or drop."""

from urllib.parse import quote

import click

from cli.admin.evaluations import filters
from cli.admin.reasons import reason_option
from cli.client.api import Api, JsonObject, signed_in
from cli.client.config import url_option
from cli.errors import CliError, reported
from cli.options import examples, json_option, printed
from cli.text import decimals_of, facts, moment, number, plural, say, table

_MOVES = ("entrant", "place", "new place", "score", "new score")


@click.group()
def rerun() -> None:
    """Grade many submissions again, unseen; then apply or drop what came of it."""


@examples('lethe admin rerun start --competition digits --reason "driver updated"')
@rerun.command()
@click.argument("evaluation_ids", metavar="[EVALUATION]...", nargs=-1)
@filters("reason")
@reason_option
@json_option
@url_option
@reported
def start(
    *, evaluation_ids: tuple[str, ...], reason: str, as_json: bool, url: str | None, **wanted: str | None
) -> None:
    """Grade again what is named, or all that match the filters; prints the rerun's id."""
    params = {name: value for name, value in wanted.items() if value}
    with signed_in(url) as api:
        chosen = list(evaluation_ids) or _matching(api, params)
        made = api.change("admin/reruns", {"evaluations": chosen, "reason": reason})
    if as_json:
        printed(made)
    else:
        click.echo(made["id"])
    for one in made["left_out"]:
        say(f"Left out: {one['submission_id'][:8]}, {one['split']}: {one['why']}.")
    say(f"{plural(made['total'], 'evaluation')} queued. Look: `lethe admin rerun show {made['id']}`")


def _matching(api: Api, params: dict[str, str]) -> list[str]:
    if not params:
        raise CliError("Name evaluations, or filter them.", code="bad_option", advice="See --help.")
    found: list[str] = []
    page = api.read("admin/evaluations", params)
    while page["items"]:
        found += [str(one["id"]) for one in page["items"]]
        if not page["next_cursor"]:
            break
        page = api.read("admin/evaluations", params | {"cursor": str(page["next_cursor"])})
    return found


@examples("lethe admin rerun list", "lethe admin rerun list --competition digits")
@rerun.command("list")
@click.option("--competition", metavar="SLUG", help="Only those that concern this competition.")
@click.option("--cursor", help="Go on where `next_cursor` of an earlier answer points.")
@json_option
@url_option
@reported
def list_(*, as_json: bool, url: str | None, **wanted: str | None) -> None:
    """List reruns, newest first."""
    with signed_in(url) as api:
        found = api.read("admin/reruns", {name: value for name, value in wanted.items() if value})
    if as_json:
        printed(found)
        return
    rows = [
        (
            one["id"],
            one["state"],
            f"{one['ended']} of {one['total']}",
            moment(one["at"]),
            one["actor"],
            one["reason"],
        )
        for one in found["items"]
    ]
    click.echo(table(("id", "state", "ended", "made", "by", "reason"), rows))
    if found.get("next_cursor"):
        say(f"More: add --cursor {found['next_cursor']}")


@examples("lethe admin rerun show 5c1d...")
@rerun.command()
@click.argument("rerun_id", metavar="ID")
@json_option
@url_option
@reported
def show(*, rerun_id: str, as_json: bool, url: str | None) -> None:
    """Show how far a rerun is, and who would move if it were applied now."""
    with signed_in(url) as api:
        found = api.read(f"admin/reruns/{quote(rerun_id, safe='')}")
    if as_json:
        printed(found)
        return
    click.echo(described(found))


def described(found: JsonObject) -> str:
    """Draw a rerun."""
    head = facts(
        [
            ("rerun", found["id"]),
            ("state", f"{found['state']}, {found['ended']} of {found['total']} ended"),
            ("reason", found["reason"]),
        ]
    )
    return "\n\n".join([head, *(_board(one) for one in found["boards"])])


def _board(board: JsonObject) -> str:
    title = f"{board['competition']}, {board['split']} split"
    if not board["moves"]:
        return f"{title}: nobody moves"
    digits = decimals_of(board, "score")
    rows = [(one["name"], *_places(one), *_scores(one, digits)) for one in board["moves"]]
    return f"{title}\n{table(_MOVES, rows, right=_MOVES[1:])}"


def _places(move: JsonObject) -> tuple[str, str]:
    return tuple("-" if one is None else str(one["rank"]) for one in (move["old"], move["new"]))  # type: ignore[return-value]


def _scores(move: JsonObject, digits: int) -> tuple[str, str]:
    return tuple(number(one and one["score"], digits) for one in (move["old"], move["new"]))  # type: ignore[return-value]


@examples("lethe admin rerun apply 5c1d...")
@rerun.command()
@click.argument("rerun_id", metavar="ID")
@json_option
@url_option
@reported
def apply(*, rerun_id: str, as_json: bool, url: str | None) -> None:
    """Show all of a rerun that says more than what is shown."""
    _decide(rerun_id, "apply", url, as_json=as_json)


@examples("lethe admin rerun drop 5c1d...")
@rerun.command()
@click.argument("rerun_id", metavar="ID")
@json_option
@url_option
@reported
def drop(*, rerun_id: str, as_json: bool, url: str | None) -> None:
    """Show nothing of a rerun, and stop what of it is under way."""
    _decide(rerun_id, "drop", url, as_json=as_json)


def _decide(rerun_id: str, what: str, url: str | None, *, as_json: bool) -> None:
    with signed_in(url) as api:
        found = api.change(f"admin/reruns/{quote(rerun_id, safe='')}/{what}")
    shown = sum(one["shown"] for one in found["evaluations"]) if what == "apply" else 0
    say(f"{found['state'].capitalize()}: {shown} of {found['total']} are shown now.")
    if as_json:
        printed(found)
