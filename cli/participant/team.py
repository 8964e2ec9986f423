"""`lethe team`: as whom I take part in a competition."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click

from cli.client.api import Api, JsonObject, signed_in
from cli.client.config import url_option
from cli.errors import CliError, reported
from cli.exit_codes import ExitCode
from cli.options import examples, json_option, printed
from cli.text import clean, facts, moment, say, table

Change = Callable[[Api], JsonObject]


@click.group()
def team() -> None:
    """Take part with others: one quota, one place on the board."""


def _act(url: str | None, act: Change, *, as_json: bool) -> None:
    with signed_in(url) as api:
        page = act(api)
    if as_json:
        printed(page)
    else:
        click.echo(drawn(page))


def _shown(command: Any) -> click.Command:
    """Make a command of `team` that shows the team as it is afterwards."""
    return team.command()(json_option(url_option(reported(command))))


@examples("lethe team show digits")
@_shown
@click.argument("slug")
def show(*, slug: str, as_json: bool, url: str | None) -> None:
    """Show my team in the competition SLUG, and the invitations that wait."""
    _act(url, lambda api: _read(api, slug), as_json=as_json)


@examples('lethe team create digits "The sieve"')
@_shown
@click.argument("slug")
@click.argument("name")
def create(*, slug: str, name: str, as_json: bool, url: str | None) -> None:
    """Create a team; what I have submitted in the competition SLUG becomes the team's."""
    _act(url, lambda api: api.change(_path(slug), {"name": name}), as_json=as_json)


@examples('lethe team rename digits "The colander"')
@_shown
@click.argument("slug")
@click.argument("name")
def rename(*, slug: str, name: str, as_json: bool, url: str | None) -> None:
    """Give the team that I lead the name NAME."""
    _act(url, lambda api: api.change(_path(slug), {"name": name}, method="PATCH"), as_json=as_json)


@examples("lethe team invite digits grace")
@_shown
@click.argument("slug")
@click.argument("person")
def invite(*, slug: str, person: str, as_json: bool, url: str | None) -> None:
    """Invite PERSON, by their name, into the team that I lead."""
    wanted = {"kind": "person", "name": person}
    _act(url, lambda api: api.change(_path(slug, "invitations"), wanted), as_json=as_json)


@examples('lethe team merge digits "The colander"')
@_shown
@click.argument("slug")
@click.argument("other", metavar="TEAM")
def merge(*, slug: str, other: str, as_json: bool, url: str | None) -> None:
    """Ask TEAM to merge into the one that I lead; its leader accepts."""
    wanted = {"kind": "team", "name": other}
    _act(url, lambda api: api.change(_path(slug, "invitations"), wanted), as_json=as_json)


@examples("lethe team withdraw digits grace")
@_shown
@click.argument("slug")
@click.argument("invited", metavar="[NAME]", required=False)
def withdraw(*, slug: str, invited: str | None, as_json: bool, url: str | None) -> None:
    """Take back the invitation of NAME, a person or a team, which may be left out where there is only one."""
    _act(url, lambda api: _answer(api, slug, invited, "withdraw"), as_json=as_json)


@examples('lethe team accept digits "The sieve"')
@_shown
@click.argument("slug")
@click.argument("inviting", metavar="[TEAM]", required=False)
def accept(*, slug: str, inviting: str | None, as_json: bool, url: str | None) -> None:
    """Accept the invitation of TEAM, which may be left out where there is only one."""
    _act(url, lambda api: _answer(api, slug, inviting, "accept"), as_json=as_json)


@examples('lethe team decline digits "The sieve"')
@_shown
@click.argument("slug")
@click.argument("inviting", metavar="[TEAM]", required=False)
def decline(*, slug: str, inviting: str | None, as_json: bool, url: str | None) -> None:
    """Decline the invitation of TEAM, which may be left out where there is only one."""
    _act(url, lambda api: _answer(api, slug, inviting, "decline"), as_json=as_json)


@examples("lethe team hand-over digits grace")
@_shown
@click.argument("slug")
@click.argument("person")
def hand_over(*, slug: str, person: str, as_json: bool, url: str | None) -> None:
    """Let PERSON, another member, lead the team that I lead."""
    _act(url, lambda api: api.change(_path(slug, "hand-over"), {"name": person}), as_json=as_json)


@examples("lethe team leave digits")
@_shown
@click.argument("slug")
def leave(*, slug: str, as_json: bool, url: str | None) -> None:
    """Leave a team that has no submissions yet, or dissolve one that is mine alone."""
    _act(url, lambda api: api.change(_path(slug, "leave")), as_json=as_json)


def _path(slug: str, *below: str) -> str:
    return "/".join([f"competitions/{quote(slug, safe='')}/team", *below])


def _read(api: Api, slug: str) -> JsonObject:
    return api.read(_path(slug))


def _answer(api: Api, slug: str, name: str | None, answer: str) -> JsonObject:
    """Answer an invitation that somebody sent, or withdraw one of my team's. Raises CliError unless it is one."""
    page = _read(api, slug)
    sent = answer == "withdraw"
    those = (page.get("team") or {}).get("invitations") or [] if sent else page.get("invitations") or []
    who = "invited" if sent else "team"
    found = [one for one in those if name in {None, one.get(who)}]
    if len(found) != 1:
        names = ", ".join(clean(one.get(who)) for one in found)
        raise CliError(
            f"Which one? There are invitations {'of' if sent else 'by'}: {names}."
            if found
            else "There is no such invitation.",
            code="which_invitation" if found else "not_found",
            exit_code=ExitCode.USAGE if found else ExitCode.FAILED,
            advice=f"See `lethe team show {slug}`.",
        )
    return api.change(f"invitations/{quote(str(found[0]['id']), safe='')}/{answer}")


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
