"""`lethe admin gc`: remove blobs that nothing names."""

import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from cli.errors import CliError, reported, usage_error
from cli.installation import migrated_database, settings_of_environment, words_for_errors
from cli.options import examples, json_option, printed
from cli.text import say, size, table

if TYPE_CHECKING:
    from app.garbage import Collected

SHORTEST = timedelta(hours=1)
"""More than passes between any put and the commit of the row that names it."""
_FEW = 20
"""Blobs: less is a trial or a beginning."""
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_ROWS = (
    ("kept", "kept"),
    ("set_aside", "set aside"),
    ("waiting", "set aside before, waiting"),
    ("brought_back", "brought back"),
    ("discarded", "removed"),
)


@examples("lethe admin gc --dry-run", "lethe admin gc --grace 12h")
@click.command()
@click.option(
    "--grace", default="7d", show_default=True, help="How old what is removed must be: 7d, 12h, 90m."
)
@click.option("--force", is_flag=True, help="Go on though most of what is stored would leave.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@json_option
@reported
def gc(*, grace: str, dry_run: bool, force: bool, as_json: bool) -> None:
    """Remove stored blobs that nothing names: uploads that were refused at the last moment, outputs of lost runs.

    It goes in two steps, so it can run beside everything else. What nothing has named for a grace period is set
    aside, from where it can still be read; a call that comes another grace period later removes it.
    """
    from app.garbage import collect
    from app.storage import open_storage, sweep

    settings = settings_of_environment()
    age = _age(grace, max(SHORTEST, 2 * timedelta(seconds=settings.lease_seconds)))
    engine = migrated_database(settings)
    before = datetime.now(UTC) - age
    with words_for_errors():
        storage = open_storage(settings)
        if not dry_run and not force:
            _check(collect(engine, storage, before, dry_run=True))
        found = collect(engine, storage, before, dry_run=dry_run)
        if not dry_run:  # what died in the middle of being written
            storage.sweep(before)
            sweep(settings.data_dir / "uploads", before)
    tallies = asdict(found)
    if as_json:
        report = {"grace_seconds": age.total_seconds(), "dry_run": dry_run, **tallies}
        printed(report)
        return
    rows = [[words, str(tallies[name]["blobs"]), size(tallies[name]["bytes"])] for name, words in _ROWS]
    click.echo(table(("", "blobs", "size"), rows, right=("blobs", "size")))
    if dry_run:
        say("Nothing was done: this was a dry run.")


def _check(planned: "Collected") -> None:
    """Raise CliError if most of what is stored would leave: this may be another installation's storage."""
    leaving = planned.set_aside.blobs + planned.discarded.blobs
    if leaving > _FEW and leaving > planned.kept.blobs:
        raise CliError(
            f"{leaving} of {leaving + planned.kept.blobs} stored blobs are named by no row of this database.",
            code="most_would_leave",
            advice="See whether LETHE_DATABASE_URL and LETHE_STORAGE_URL belong together; if they do, add --force.",
        )


def _age(text: str, shortest: timedelta) -> timedelta:
    """Read a grace period. Raises CliError for what is none, or too short to be safe."""
    found = re.fullmatch(r"(\d{1,6})([dhm])", text)
    if found is None:
        raise usage_error(f"--grace {text!r} is no time such as 7d, 12h or 90m.", "bad_grace")
    age = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if age < shortest:
        raise usage_error(
            f"--grace must be at least {shortest.total_seconds() / 60:g}m: younger blobs may belong to "
            "what is about to be saved.",
            "bad_grace",
        )
    return age
