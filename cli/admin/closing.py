"""`lethe admin closing` and `reveal`: look how far a competition's close is, and reveal its results, from anywhere."""

import shlex
from urllib.parse import quote

import click

from cli.client.api import JsonObject, signed_in
from cli.client.config import connection, url_option
from cli.errors import reported, usage_error
from cli.options import examples, json_option, printed
from cli.organiser.places import drawn
from cli.text import facts, moment, say

_NAMED = {"running": "running", "stalled": "stalled", "failed": "without a score"}


@examples("lethe admin closing digits")
@click.command()
@click.argument("slug")
@json_option
@url_option
@reported
def closing(*, slug: str, as_json: bool, url: str | None) -> None:
    """Show how far the close of the competition SLUG is, and the private leaderboard that a reveal would show."""
    flags = connection(url).flags
    with signed_in(url) as api:
        found = api.read(f"{_competition(slug)}/closing")
        board = api.leaderboard(slug, split="private")
    if as_json:
        printed(found | {"leaderboard": board})
        return
    click.echo(_described(found))
    if board["rows"]:
        click.echo(f"\n{drawn(board)}")
    if found["closed_at"] and not found["obstacle"]:
        say(f"Reveal: `lethe admin reveal {shlex.quote(slug)} --yes{flags}`.")
    elif found["forceable"] and not found["revealed_at"]:
        say(
            f"Reveal without the stalled ones: `lethe admin reveal {shlex.quote(slug)} --yes --force{flags}`."
        )


def _competition(slug: str) -> str:
    return f"competitions/{quote(slug, safe='')}"


def _described(found: JsonObject) -> str:
    closed, revealed = found["closed_at"], found["revealed_at"]
    entries = (
        f"{found['entries']} taken {moment(closed)}" if closed else found["waits_for"] or "not taken yet"
    )
    still = "not yet, by itself" if found["automatic"] else "not yet, by an organiser"
    pairs = [
        ("closes", moment(found["closes_at"])),
        ("final entries", entries),
        ("evaluated", f"{found['complete']} of {found['entries']}" if closed else "-"),
        *((words, _ids(found[what])) for what, words in _NAMED.items() if found[what]),
        ("revealed", moment(revealed) if revealed else still),
    ]
    if closed and not revealed and found["obstacle"]:
        pairs.append(("in the way", found["obstacle"]))
    return facts(pairs)


def _ids(submission_ids: list[str]) -> str:
    return ", ".join(submission_ids)  # whole: people are to act on them


@examples("lethe admin reveal digits --yes")
@click.command()
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Reveal; without it, nothing is done.")
@click.option(
    "--force", is_flag=True, help="Leave entries that had no score after a rerun either without one."
)
@json_option
@url_option
@reported
def reveal(*, slug: str, yes: bool, force: bool, as_json: bool, url: str | None) -> None:
    """Reveal the private leaderboard of the competition SLUG to everybody. It cannot be taken back.

    It needs --yes, and every final entry evaluated.
    """
    if not yes:
        raise usage_error(
            "A reveal cannot be taken back: it needs --yes.",
            "not_confirmed",
            f"Look first: `lethe admin closing {shlex.quote(slug)}{connection(url).flags}`.",
        )
    with signed_in(url) as api:
        found = api.change(f"{_competition(slug)}/reveal", {"force": force})
    if as_json:
        printed(found)
    if found["failed"]:
        say(f"Without a score on the private split: {_ids(found['failed'])}.")
    say(
        f"The results of {slug} are revealed. Look: `lethe leaderboard {shlex.quote(slug)} --private{connection(url).flags}`"
    )
