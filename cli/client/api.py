"""The API v1 of a Lethe service, as the commands need it. Failures come out as CliError."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

import httpx

from cli.client.config import Connection, connection
from cli.client.refusals import not_lethe, refusal, seconds_of, unreachable
from cli.client.retries import LONGEST_WAIT
from cli.errors import CliError

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
CHUNK_BYTES = 64 * 1024
_SHOWN_ID, _WHOLE_ID = 8, 32
"""Characters of an id: as pages show it, and all."""


JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Accepted:
    """The service's answer to an upload; `replayed` if it had this very upload already."""

    submission: JsonObject
    replayed: bool


@dataclass(frozen=True)
class Polled:
    """A submission as last seen, its ETag, and the seconds to wait before asking again."""

    submission: JsonObject
    etag: str
    interval: float


@dataclass(frozen=True)
class Log:
    """What a smoke run has printed, and where the run is; "" where the service does not say."""

    text: str
    status: str


class Api:
    """One connection to one service; use it as a context manager."""

    def __init__(self, target: Connection) -> None:
        self._url = target.url
        headers = {"Accept": "application/json, application/problem+json", "User-Agent": "lethe-cli"}
        if target.token is not None:
            headers["Authorization"] = f"Bearer {target.token}"
        # a proxy of the environment cannot reach this machine's own services
        host = urlsplit(target.url).hostname or ""
        direct = {f"all://{host}": None} if host in {"localhost", "127.0.0.1"} else None
        self._http = httpx.Client(headers=headers, timeout=TIMEOUT, mounts=direct)

    def __enter__(self) -> Self:
        """Keep the connection open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._http.close()

    def submit(
        self, slug: str, archive: Path, *, note: str, key: str, progress: Callable[[int], None]
    ) -> Accepted:
        """Upload an archive once, in small pieces; `progress` hears the bytes sent so far."""
        headers = {
            "Content-Type": "application/zip",
            "Content-Length": str(archive.stat().st_size),
            "Idempotency-Key": key,
        }
        response = self._send(
            "POST",
            f"competitions/{quote(slug, safe='')}/submissions",
            params={"note": note} if note else {},
            headers=headers,
            content=_chunks(archive, progress),
        )
        replayed = response.headers.get("Idempotent-Replayed") == "true"
        return Accepted(self._object(response, "id", "status"), replayed)

    def submission(self, submission_id: str, last: Polled | None = None) -> Polled:
        """Read a submission; with what was last seen, an unchanged one costs no body."""
        headers = {"If-None-Match": last.etag} if last is not None and last.etag else {}
        response = self._send("GET", f"submissions/{quote(submission_id, safe='')}", headers=headers)
        interval = seconds_of(response, "Lethe-Poll-Interval")
        interval = 2.0 if interval is None else min(interval, LONGEST_WAIT)
        if response.status_code == httpx.codes.NOT_MODIFIED and last is not None:
            return Polled(last.submission, last.etag, interval)
        return Polled(self._object(response, "id", "status"), response.headers.get("ETag", ""), interval)

    def submissions(self, competition: str | None = None) -> Iterator[JsonObject]:
        """List my submissions, of one competition or of all, newest first, page by page."""
        only = {"competition": competition} if competition else {}
        cursor: str | None = ""
        while cursor is not None:
            params = only | ({"cursor": cursor} if cursor else {})
            page = self._object(self._send("GET", "submissions", params=params), "items")
            yield from page["items"]
            cursor = page.get("next_cursor")

    def newest(self, *, by: str | None = None) -> str:
        """Return the id of my or my team's newest submission, or of the one that `by` sent. Raises CliError where there is none."""
        newest = next((one for one in self.submissions() if by is None or one.get("user") == by), None)
        if newest is None:
            raise CliError(
                "There are no submissions yet.",
                code="no_submissions",
                advice="Make the first: lethe submit FOLDER --competition SLUG",
            )
        return str(newest["id"])

    def whole(self, beginning: str) -> str:
        """Return the id of mine that begins so, as pages show it; what none begins with stays. Raises CliError for several."""
        if not _SHOWN_ID <= len(beginning) < _WHOLE_ID:
            return beginning
        found = [str(one["id"]) for one in self.submissions() if str(one["id"]).startswith(beginning)]
        if len(found) > 1:
            raise CliError(
                f"{len(found)} of your submissions begin with {beginning!r}.",
                code="ambiguous",
                advice="Give more of the id; `lethe submissions --csv` prints whole ones.",
            )
        return found[0] if found else beginning

    def competitions(self) -> JsonObject:
        """List all competitions."""
        return self._object(self._send("GET", "competitions"), "items")

    def competition(self, slug: str) -> JsonObject:
        """Read a competition's rules."""
        path = f"competitions/{quote(slug, safe='')}"
        return self._object(self._send("GET", path), "entry_function", "batches")

    def account(self) -> JsonObject:
        """Read whose token it is."""
        return self._object(self._send("GET", "account"), "name")

    def bundle_url(self, submission_id: str) -> str:
        """Return where the bundle of a submission can be fetched."""
        return f"/api/v1/submissions/{quote(submission_id, safe='')}/bundle"

    def log(self, submission_id: str) -> Log:
        """Read what a submission's smoke run printed."""
        response = self._send("GET", f"submissions/{quote(submission_id, safe='')}/log")
        return Log(response.text, response.headers.get("Lethe-Run-Status", ""))

    def leaderboard(self, slug: str, **how: str) -> JsonObject:
        """Read a leaderboard, filtered by `name` and in the order of `sort` where they are given."""
        path = f"competitions/{quote(slug, safe='')}/leaderboard"
        return self._object(self._send("GET", path, params=how), "rows")

    def comparison(self, slug: str, first: str, second: str) -> JsonObject:
        """Compare two submissions of a competition."""
        query = urlencode({"a": first, "b": second})
        path = f"competitions/{quote(slug, safe='')}/comparison?{query}"
        return self._object(self._send("GET", path), "first", "second", "difference", "verdict")

    def leaderboard_csv(self, slug: str, **how: str) -> str:
        """Read a leaderboard as CSV, as the service writes it."""
        path = f"competitions/{quote(slug, safe='')}/leaderboard.csv"
        return self._send("GET", path, params=how).text

    def finals(self, slug: str) -> JsonObject:
        """Read my final entries, and what could be chosen."""
        path = f"competitions/{quote(slug, safe='')}/finals"
        return self._object(self._send("GET", path), "entries", "candidates", "places")

    def choose_finals(
        self, slug: str, submission_ids: Sequence[str], seen: Sequence[str] | None = None
    ) -> JsonObject:
        """Make exactly these submissions my final entries; with `seen`, only if they are still what was read."""
        path = f"competitions/{quote(slug, safe='')}/finals"
        chosen: JsonObject = {"submission_ids": list(submission_ids)}
        if seen is not None:
            chosen["seen"] = list(seen)
        return self._object(self._send("PUT", path, json=chosen), "entries", "candidates", "places")

    def public_data(self, slug: str) -> JsonObject:
        """List a competition's public files, with the rules that a run is held to."""
        return self._object(self._send("GET", f"competitions/{quote(slug, safe='')}/data"), "files", "rules")

    def fetch(self, url: str, half: Path, etag: str, progress: Callable[[int], None]) -> None:
        """Append what is missing of a file, whose ETag is known, to what is there of it; `progress` hears its bytes."""
        if not url.startswith("/api/v1/"):
            raise not_lethe(self._url, f"it keeps its files at {url[:100]}")
        there = half.stat().st_size if half.exists() else 0
        headers = {"Range": f"bytes={there}-", "If-Range": f'"{etag}"'} if there else {}
        try:
            with self._http.stream("GET", f"{self._url}{url}", headers=headers) as response:
                if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return  # nothing is missing
                if not response.is_success:
                    response.read()
                    raise refusal(self._url, response)
                resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
                there = there if resumed else 0
                with half.open("ab" if resumed else "wb") as file:
                    for chunk in response.iter_bytes(CHUNK_BYTES):
                        file.write(chunk)
                        there += len(chunk)
                        progress(there)
        except httpx.RequestError as error:
            raise unreachable(self._url, error) from error

    def read(self, path: str, params: Mapping[str, str] | None = None) -> JsonObject:
        """Read what a path of the API answers; `path` is quoted by the caller."""
        return self._object(self._send("GET", path, params=params))

    def change(self, path: str, wanted: JsonObject | None = None, *, method: str = "POST") -> JsonObject:
        """Ask the API to change something; `path` is quoted by the caller."""
        return self._object(self._send(method, path, json=wanted))

    def text(self, path: str, params: Mapping[str, str]) -> str:
        """Read what is no JSON."""
        return self._send("GET", path, params=params).text

    def check_token(self) -> None:
        """Raise unless the service takes the token."""
        self._object(self._send("GET", "submissions"), "items")

    def _send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: Iterator[bytes] | None = None,
        json: JsonObject | None = None,
    ) -> httpx.Response:
        url = f"{self._url}/api/v1/{path}"
        try:
            response = self._http.request(
                method, url, headers=headers, params=params, content=content, json=json
            )
        except httpx.RequestError as error:
            raise unreachable(self._url, error) from error
        if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
            return response
        raise refusal(self._url, response)

    def _object(self, response: httpx.Response, *required: str) -> JsonObject:
        with suppress(ValueError):
            data = response.json()
            if isinstance(data, dict) and all(name in data for name in required):
                return data
        raise not_lethe(self._url, f"its answer ({response.status_code}) is not one of Lethe's")


def _chunks(path: Path, progress: Callable[[int], None]) -> Iterator[bytes]:
    sent = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
            sent += len(chunk)
            progress(sent)


def signed_in(url: str | None) -> Api:
    """Connect to the service that the flag, the environment or the file names. Raises CliError without a token."""
    target = connection(url)
    target.needed_token()
    return Api(target)
