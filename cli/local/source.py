"""Where `lethe local` finds public data: a folder, a name, or the service."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cli.client.api import Api
from cli.client.config import connection
from cli.client.retries import with_retries
from cli.clock import Clock
from cli.errors import usage_error
from cli.installation import words_for_errors
from cli.participant.data import LISTING, download
from cli.text import say

if TYPE_CHECKING:
    from worker.public_data import PublicData

ORGANISERS = "competition.toml"


@dataclass(frozen=True)
class Source:
    """A folder with public data: one that was downloaded, or an organiser's."""

    folder: Path
    downloaded: bool


def cache_dir(env: Mapping[str, str] = os.environ) -> Path:
    """Name the folder that keeps what is costly to make; it may be deleted at any time."""
    if env.get("LETHE_CACHE_DIR"):
        return Path(env["LETHE_CACHE_DIR"]).expanduser()
    base = Path(env["XDG_CACHE_HOME"]) if env.get("XDG_CACHE_HOME") else Path.home() / ".cache"
    return base / "lethe"


def find(given: str | None, competitions: Path, url: str | None, clock: Clock) -> Source:
    """Find the data that a folder or a slug names; without either, those in this folder. Raises CliError.

    A slug is looked for here, then among the competitions of a checkout, and then asked of the service.
    """
    if given is None:
        return _only_one()
    for folder in (Path(given), Path(f"{given}-data"), competitions / given):
        found = _source(folder)
        if found is not None:
            return found
    if Path(given).is_dir() or not _may_be_slug(given):
        raise usage_error(
            f"{given} holds neither {LISTING} nor {ORGANISERS}.",
            "no_public_data",
            "Give a folder that `lethe data SLUG` made, or a competition's slug.",
        )
    return _fetched(given, url, clock)


def load(source: Source) -> "PublicData":
    """Read the data. Raises CliError."""
    from worker.public_data import from_competition, from_download

    with words_for_errors():
        return (from_download if source.downloaded else from_competition)(source.folder)


def _source(folder: Path) -> Source | None:
    if (folder / LISTING).is_file():
        return Source(folder, downloaded=True)
    return Source(folder, downloaded=False) if (folder / ORGANISERS).is_file() else None


def _only_one() -> Source:
    found = sorted(path.parent for path in Path().glob(f"*/{LISTING}"))
    if len(found) == 1:
        return Source(found[0], downloaded=True)
    here = "no public data" if not found else f"public data of {', '.join(map(str, found))}"
    raise usage_error(
        f"There is {here} in this folder.",
        "no_public_data",
        "Name one with --competition; `lethe data SLUG` downloads it.",
    )


def _fetched(slug: str, url: str | None, clock: Clock) -> Source:
    """Bring the service's data into the cache, as they are now."""
    target = connection(url)
    folder = cache_dir() / "data" / urlsplit(target.url).netloc.replace(":", "_") / slug
    with Api(target) as api:
        listing = with_retries(lambda: api.public_data(slug), clock, say)
        say(f"Public data of {slug} from {target.url}, kept in {folder}.")
        download(api, listing, folder, clock)
    return Source(folder, downloaded=True)


def _may_be_slug(word: str) -> bool:
    return word.replace("-", "").isalnum() and word.isascii()
