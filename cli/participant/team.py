"""`lethe team`: as whom I take part in a competition."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click

from cli.client.api import Api, JsonObject
from cli.client.config import connection, url_option
from cli.errors import CliError, reported
from cli.exit_codes import ExitCode
from cli.text import clean, facts, moment, say, table

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
Change = Callable[[Api], JsonObject]


@click.group()
def team() -> None:
    """Take part with others: one quota, one place on the board."""


def _act(url: str | None, act: Change, *, as_json: bool) -> None:
    target = connection(url)
    target.needed_token()
    with Api(target) as api:
        page = act(api)
    click.echo(json.dumps(page, indent=2) if as_json else drawn(page))


@team.command()
@click.argument("slug")
@json_option
@url_option
@reported
def show(*, slug: str, as_json: bool, url: str | None) -> None:
    """Show my team in the competition SLUG, and the invitations that wait."""
    _act(url, lambda api: api.team(slug), as_json=as_json)


@team.command()
@click.argument("slug")
@click.argument("name")
@json_option
@url_option
@reported
def create(*, slug: str, name: str, as_json: bool, url: str | None) -> None:
    """Create a team; what I have submitted in the competition becomes the team's."""
    _act(url, lambda api: api.change_team(_path(slug), {"name": name}), as_json=as_json)


@team.command()
@click.argument("slug")
@click.argument("person")
@json_option
@url_option
@reported
def invite(*, slug: str, person: str, as_json: bool, url: str | None) -> None:
    """Invite PERSON, by their name, into the team that I lead."""
    wanted = {"kind": "person", "name": person}
    _act(url, lambda api: api.change_team(_path(slug) + "/invitations", wanted), as_json=as_json)


@team.command()
@click.argument("slug")
@click.argument("other")
@json_option
@url_option
@reported
def merge(*, slug: str, other: str, as_json: bool, url: str | None) -> None:
    """Ask the team OTHER to merge into the one that I lead; its leader accepts."""
    wanted = {"kind": "team", "name": other}
    _act(url, lambda api: api.change_team(_path(slug) + "/invitations", wanted), as_json=as_json)


@team.command()
@click.argument("slug")
@click.argument("inviting", metavar="[TEAM]", required=False)
@json_option
@url_option
@reported
def accept(*, slug: str, inviting: str | None, as_json: bool, url: str | None) -> None:
    """Accept the invitation of TEAM, which may be left out where there is only one."""
    _act(url, lambda api: _answer(api, slug, inviting, "accept"), as_json=as_json)


@team.command()
@click.argument("slug")
@click.argument("inviting", metavar="[TEAM]", required=False)
@json_option
@url_option
@reported
def decline(*, slug: str, inviting: str | None, as_json: bool, url: str | None) -> None:
    """Decline the invitation of TEAM, which may be left out where there is only one."""
    _act(url, lambda api: _answer(api, slug, inviting, "decline"), as_json=as_json)


@team.command()
@click.argument("slug")
@json_option
@url_option
@reported
def leave(*, slug: str, as_json: bool, url: str | None) -> None:
    """Leave a team that has no submissions yet, or dissolve one that is mine alone."""
    _act(url, lambda api: api.change_team(_path(slug) + "/leave"), as_json=as_json)


def _path(slug: str) -> str:
    return f"competitions/{quote(slug, safe='')}/team"


def _answer(api: Api, slug: str, inviting: str | None, answer: str) -> JsonObject:
    found = [one for one in api.team(slug)["invitations"] if inviting in {None, one.get("team")}]
    if len(found) != 1:
        names = ", ".join(clean(one.get("team")) for one in found)
        raise CliError(
            f"Which one? These invite you: {names}." if found else "There is no such invitation.",
            code="which_invitation" if found else "not_found",
            exit_code=ExitCode.USAGE if found else ExitCode.FAILED,
            advice=f"See `lethe team show {slug}`.",
        )
    return api.change_team(f"invitations/{quote(str(found[0]['id']), safe='')}/{answer}")


def drawn(page: JsonObject) -> str:
    """Draw a team and what waits for an answer."""
    one: Any = page.get("team")
    for item in page.get("invitations") or []:
        say(_invited(item, str(page.get("competition"))))
    if one is None:
        return f"You take part in {page.get('competition')} alone."
    rows = [
        (
            clean(member.get("name")),
            "leader" if member.get("leader") else "",
            str(member.get("submissions")),
            moment(member.get("joined_at")),
        )
        for member in one.get("members") or []
    ]
    head = facts(
        [
            ("team", clean(one.get("name"))),
            ("competition", clean(page.get("competition"))),
            ("size", f"{len(rows)} of at most {page.get('max_size')} people"),
            ("forms until", moment(page.get("forms_until"))),
            (
                "invited",
                ", ".join(clean(item.get("invited")) for item in one.get("invitations") or []) or "-",
            ),
        ]
    )
    members = table(("member", "", "submissions", "joined"), rows, right=("submissions",))
    return f"{head}\n\n{members}"


def _invited(item: JsonObject, slug: str) -> str:
    what = "asks your team to merge" if item.get("kind") == "team" else "invites you"
    name = clean(item.get("team"))
    return f"{name} {what}. Answer: lethe team accept {slug} '{name}', or decline."
