"""`lethe download`: a bundle as it was submitted."""

from pathlib import Path

import click

from cli.client.api import Api, signed_in
from cli.client.config import url_option
from cli.clock import Clock, pass_clock
from cli.errors import CliError, reported
from cli.options import examples, json_option, printed
from cli.participant.data import fetch_file, is_whole
from cli.progress import download_bar
from cli.text import say, size


@examples("lethe download 4f1c... --output first-try.zip")
@click.command()
@click.argument("submission_id", metavar="ID")
@click.option(
    "--output", "-o", "path", type=click.Path(dir_okay=False, path_type=Path), help="[default: ID.zip]"
)
@json_option
@url_option
@pass_clock
@reported
def download(clock: Clock, submission_id: str, *, path: Path | None, as_json: bool, url: str | None) -> None:
    """Download the bundle of the submission ID, as it was submitted; its digest is checked."""
    with signed_in(url) as api:
        found = api.submission(api.whole(submission_id)).submission
        one = {
            "name": "The bundle",
            "bytes": found["bundle_bytes"],
            "sha256": found["bundle_digest"],
            "url": api.bundle_url(found["id"]),
        }
        place = Path(f"{found['id']}.zip") if path is None else path
        if place.exists() and not is_whole(place, one):
            raise CliError(
                f"{place} is there already, and is another file.",
                code="exists",
                advice="Name another with -o.",
            )
        if not place.exists():
            _fetch(api, one, place, clock)
    say(f"{size(one['bytes'])}, sha256 {one['sha256']}.")
    if as_json:
        printed({"path": str(place), **one})
    else:
        click.echo(str(place))


def _fetch(api: Api, one: dict[str, object], place: Path, clock: Clock) -> None:
    try:
        with download_bar(int(str(one["bytes"]))) as progress:
            fetch_file(api, one, place, clock, progress)
    except OSError as error:
        raise CliError(f"{place} cannot be written: {error.strerror}.", code="cannot_write") from error
