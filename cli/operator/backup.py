"""`lethe admin backup` and `lethe admin restore`."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.errors import CliError, reported, usage_error
from cli.installation import migrated_database, settings_of_environment, words_for_errors
from cli.options import examples, printed
from cli.progress import counting
from cli.text import plural, say

if TYPE_CHECKING:
    from app.backup import Backup

_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@examples("lethe admin backup /backups/monday")
@click.command()
@_FOLDER
@_JSON
@reported
def backup(*, folder: Path, as_json: bool) -> None:
    """Write every row and every blob that they name to FOLDER, while the service runs on.

    A second backup into the same folder copies only new blobs, and takes the place of the first when it is whole.
    Keep the folder safe: it holds hidden data, hashes of passwords and digests of tokens.
    """
    from app.backup import back_up
    from app.storage import open_storage

    settings = settings_of_environment()
    data, place = settings.data_dir.resolve(), folder.resolve()
    if place.is_relative_to(data) or data.is_relative_to(place):
        raise usage_error(f"{folder} is the data folder, or one of them lies in the other.", "bad_folder")
    engine = migrated_database(settings)
    with words_for_errors(), counting("Blobs") as show:
        made = back_up(engine, open_storage(settings), folder, datetime.now(UTC), show)
    report = _report(made, folder)
    say(
        f"Backed up {plural(made.rows, 'row')} and {plural(made.blobs - len(made.missing), 'blob')} to {folder}."
    )
    if made.missing:
        raise _lost(made, report)
    if as_json:
        printed(report)


@examples("lethe admin restore /backups/monday")
@click.command()
@_FOLDER
@_JSON
@reported
def restore(*, folder: Path, as_json: bool) -> None:
    """Bring the backup in FOLDER into an empty database, of any kind, and its blobs into the storage.

    The database must have been migrated by the version of Lethe that made the backup. All rows come together or not
    at all, so a call that failed can be repeated.
    """
    from app.backup import BackupUnusable
    from app.backup import restore as bring_back
    from app.storage import open_storage

    settings = settings_of_environment()
    engine = migrated_database(settings)
    try:
        with words_for_errors(), counting("Blobs") as show:
            made = bring_back(engine, open_storage(settings), folder, show)
    except BackupUnusable as error:
        raise CliError(
            f"The backup cannot be restored: {error}.",
            code="backup_unusable",
            advice="A backup goes into an empty database that `lethe migrate` of the same version has made.",
        ) from error
    say(f"Restored {plural(made.rows, 'row')} and {plural(made.blobs - len(made.missing), 'blob')}.")
    if made.missing:
        say(f"{plural(len(made.missing), 'blob')} had been lost before the backup was made.")
    if as_json:
        printed(_report(made, folder))


def _report(made: "Backup", folder: Path) -> dict[str, Any]:
    told = {name: value for name, value in asdict(made).items() if name not in {"format", "rows_file"}}
    return {"folder": str(folder), **told}


def _lost(made: "Backup", report: dict[str, Any]) -> CliError:
    """Name the blobs that are lost, a line each, and return the error that ends the call."""
    for digest in made.missing:
        say(f"Lost or damaged: blob {digest}.")
    return CliError(
        f"The backup is whole but for {plural(len(made.missing), 'blob')} that the storage has lost.",
        code="blobs_missing",
        advice="Look for them in an earlier backup.",
        **report,
    )
