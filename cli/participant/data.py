"""`lethe data`: a competition's public data in a folder, resumable, every file checked by its digest."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click

from cli.client.api import Api, JsonObject
from cli.client.config import connection, url_option
from cli.client.retries import with_retries
from cli.clock import Clock, pass_clock
from cli.errors import CliError, reported
from cli.exit_codes import ExitCode
from cli.options import examples, json_option, printed
from cli.progress import download_bar
from cli.text import plural, say, size

LISTING = "lethe-data.json"
"""The service's own list of files with the rules of a run: it comes last, so where it is the folder is whole."""
_HALF = ".part"


@examples("lethe data digits --output digits-data")
@click.command()
@click.argument("slug")
@click.option(
    "--output",
    "-o",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to put the files in.  [default: SLUG-data]",
)
@json_option
@url_option
@pass_clock
@reported
def data(clock: Clock, slug: str, *, folder: Path | None, as_json: bool, url: str | None) -> None:
    """Download the public data of the competition SLUG.

    It holds what smoke runs see: images, labels, a network to start from, and nothing that submissions are scored
    on. Run again, it goes on where it broke off, and fetches only what is missing or has changed. Needs no token.
    """
    target = Path(f"{slug}-data") if folder is None else folder
    with Api(connection(url)) as api:
        listing = with_retries(lambda: api.public_data(slug), clock, say)
        fetched = download(api, listing, target, clock)
    kept = len(listing["files"]) - fetched
    say(
        f"{plural(fetched, 'file')} fetched{f', {kept} were there already' if kept else ''}. "
        f"Try a bundle on them: lethe local BUNDLE --competition {target}"
    )
    if as_json:
        printed({"folder": str(target), "fetched": fetched, **listing})
    else:
        click.echo(str(target))


def download(api: Api, listing: JsonObject, folder: Path, clock: Clock) -> int:
    """Bring a folder to what a listing says; return how many files had to be fetched. Raises CliError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        missing = [one for one in listing["files"] if not is_whole(folder / _plain(one["name"]), one)]
        if missing:
            (folder / LISTING).unlink(missing_ok=True)
        with download_bar(sum(one["bytes"] for one in missing)) as progress:
            done = 0
            for one in missing:
                fetch_file(api, one, folder / one["name"], clock, _from(done, progress))
                done += one["bytes"]
        _write(folder / LISTING, json.dumps(listing, indent=1).encode())
    except OSError as error:
        raise CliError(f"{folder} cannot be written: {error.strerror}.", code="cannot_write") from error
    except KeyboardInterrupt:
        raise CliError(
            "Stopped; what has arrived is kept.",
            code="interrupted",
            exit_code=ExitCode.INTERRUPTED,
            advice="Run the same command again to go on.",
        ) from None
    return len(missing)


def is_whole(path: Path, one: JsonObject) -> bool:
    """Tell whether a file is there with the bytes that a listing names."""
    try:
        return bool(path.stat().st_size == one["bytes"] and _digest(path) == one["sha256"])
    except OSError:
        return False


def fetch_file(api: Api, one: JsonObject, path: Path, clock: Clock, progress: Callable[[int], None]) -> None:
    """Fetch one file beside its place, from where an earlier call left off, and move it there once it is whole."""
    half = path.with_name(path.name + _HALF)
    for _ in range(
        2
    ):  # what was left by an earlier call may be another file's beginning: then once from the start
        with_retries(lambda: api.fetch(one["url"], half, one["sha256"], progress), clock, say)
        if is_whole(half, one):
            half.replace(path)
            return
        half.unlink(missing_ok=True)
    raise CliError(
        f"{one['name']} did not arrive as it should be: {size(one['bytes'])} with the digest {one['sha256'][:12]}.",
        code="damaged_download",
        exit_code=ExitCode.NETWORK,
        advice="Run the same command again; if that does not help, tell the organiser.",
    )


def _from(start: int, progress: Callable[[int], None]) -> Callable[[int], None]:
    return lambda n_bytes: progress(start + n_bytes)


def _plain(name: str) -> str:
    """Refuse a name that would leave the folder."""
    if name != Path(name).name or name.startswith(".") or name == LISTING:
        raise CliError(f"The service names a file {name!r}.", code="unsafe_name", exit_code=ExitCode.NETWORK)
    return name


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    half = path.with_name(path.name + _HALF)
    try:
        half.write_bytes(content)
        half.replace(path)
    finally:
        with suppress(FileNotFoundError):
            half.unlink()
