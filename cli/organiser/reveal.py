"""`lethe competition reveal`: the results, looked at and then shown to everybody."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from cli.errors import CliError, reported
from cli.installation import migrated_database, settings_of_environment, words_for_errors
from cli.options import examples, json_option, printed
from cli.organiser.places import drawn
from cli.text import say

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from app.schemas.boards import LeaderboardOut
    from app.schemas.finals import ClosingOut

ACTOR = "operator"


@examples("lethe competition reveal digits", "lethe competition reveal digits --yes")
@click.command()
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Reveal; without it, only show what would be revealed.")
@click.option(
    "--force", is_flag=True, help="Leave entries that had no score after a rerun either without one."
)
@json_option
@reported
def reveal(*, slug: str, yes: bool, force: bool, as_json: bool) -> None:
    """Show the private leaderboard of the competition SLUG, and with --yes reveal it to everybody.

    It happens once every final entry has been evaluated, and cannot be taken back.
    """
    engine = migrated_database(settings_of_environment())
    with words_for_errors():
        if yes:
            _reveal(engine, slug, force=force)
        closing, board = _read(engine, slug)
    if as_json:
        found: dict[str, Any] = closing.model_dump(mode="json")
        printed(found | {"leaderboard": board.model_dump(mode="json")})
    else:
        click.echo(drawn(board.model_dump(mode="json")))
    if closing.failed:
        say(f"Without a score on the private split: {', '.join(one[:8] for one in closing.failed)}.")
    if closing.revealed_at is not None:
        say(f"The results of {slug} are revealed.")
        return
    say(f"{closing.complete} of {closing.entries} final entries have been evaluated; nothing is revealed.")
    if closing.obstacle is not None:
        raise CliError(closing.obstacle, code="not_ready", advice="")
    say(f"Reveal: `lethe competition reveal {slug} --yes`.")


def _reveal(engine: "Engine", slug: str, *, force: bool) -> None:
    from app import reveal as revealing
    from app.db import unit_of_work

    with unit_of_work(engine) as session:
        revealing.reveal(session, slug, ACTOR, datetime.now(UTC), force=force)


def _read(engine: "Engine", slug: str) -> "tuple[ClosingOut, LeaderboardOut]":
    from app.db import read_only
    from app.views import boards, finals

    now = datetime.now(UTC)
    with read_only(engine) as session:
        return finals.closing_of(session, slug, now), boards.board(session, slug, now, "private")
