"""Blobs by their SHA-256 in an S3-compatible store."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from app.errors import NotFound
from app.secret_files import read_secret
from app.settings import Settings
from app.storage import (
    CHUNK,
    Blob,
    StorageAway,
    StorageMisconfigured,
    check_digest,
    is_digest,
    verified,
    write_verified,
)

if TYPE_CHECKING:
    from obstore import GetResult
    from obstore.store import ClientConfig, RetryConfig, S3Config

PART_BYTES = 5 << 20
PARTS_AT_ONCE = 2  # in memory: a put takes their product at the most
LEAVING = "leaving"
LOOKS = 4  # in both places: collections may move a blob back and forth while one slow look goes on


def open_object_storage(settings: Settings, patience: timedelta) -> "ObjectStorage":
    """Return the storage that the settings name; sends nothing yet. Raises StorageMisconfigured."""
    bucket, prefix = _place(settings.storage_url)
    config: S3Config = {"bucket": bucket}
    if settings.storage_endpoint:
        config["endpoint"] = settings.storage_endpoint
    if settings.storage_access_key_file is not None and settings.storage_secret_key_file is not None:
        config["access_key_id"] = _secret(settings.storage_access_key_file)
        config["secret_access_key"] = _secret(settings.storage_secret_key_file)
    elif settings.storage_access_key_file is not None or settings.storage_secret_key_file is not None:
        raise StorageMisconfigured(
            "LETHE_STORAGE_ACCESS_KEY_FILE and LETHE_STORAGE_SECRET_KEY_FILE go together: set both or neither"
        )
    client: ClientConfig = {
        "allow_http": settings.storage_endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(seconds=30),
        "timeout": timedelta(minutes=10),  # of one request: a blob may be large, and the line slow
    }
    retry: RetryConfig = {"retry_timeout": patience}
    try:
        return ObjectStorage(
            S3Store(prefix=prefix or None, config=config, client_options=client, retry_config=retry)
        )
    except (BaseError, ValueError) as error:
        raise StorageMisconfigured(f"the object store cannot be used: {_words(error)}") from None


class ObjectStorage:
    """Storage under prefix/ab/abcdef...; what is set aside lies under prefix/leaving/abcdef.../.

    A put whose process dies may leave parts of an upload that no request shows: a rule of the bucket removes those.
    """

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def put(self, data: bytes) -> str:
        """Store bytes durably and return their SHA-256 as 64 hex digits. Raises StorageAway."""
        digest = hashlib.sha256(data).hexdigest()
        self._put(digest, data)
        return digest

    def put_file(self, path: Path) -> str:
        """Store a copy of a file durably, in constant memory, and return its SHA-256. Raises StorageAway."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._put(digest, path)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes of a blob, verified. Raises NotFound, StorageAway or DamagedBlob."""
        found = self._find(digest)
        with _as_ours():
            data = found.bytes().to_bytes()
        return verified(data, digest)

    def save(self, digest: str, path: Path) -> None:
        """Write a blob to a file, verified, in constant memory. Raises NotFound, StorageAway or DamagedBlob."""
        found = self._find(digest)
        with _as_ours():
            write_verified(map(bytes, found.stream(min_chunk_size=CHUNK)), digest, path)

    def blobs(self) -> Iterator[Blob]:
        """List what is in its place."""
        for path, n_bytes, at in self._list(None):
            folder, _, digest = path.partition("/")
            if is_digest(digest) and folder == digest[:2]:
                yield Blob(digest, n_bytes, at, path)

    def set_aside(self, blob: Blob) -> None:
        """Copy a blob to a name that it has never had, then remove it from its place."""
        self._move(_key(blob.digest), f"{LEAVING}/{blob.digest}/{uuid4().hex}")

    def aside(self) -> Iterator[Blob]:
        """List what is set aside."""
        for path, n_bytes, at in self._list(LEAVING):
            digest = path.split("/")[1]
            if is_digest(digest):
                yield Blob(digest, n_bytes, at, path)

    def bring_back(self, blob: Blob) -> None:
        """Copy what is set aside to where it was, then remove it there."""
        self._move(blob.name, _key(blob.digest))

    def discard(self, blob: Blob) -> None:
        """Remove what is set aside."""
        with _as_ours():
            obstore.delete(self._store, blob.name)

    def sweep(self, before: datetime) -> None:
        """Do nothing: what is half-written is out of reach here, and the bucket's own rule removes it."""

    def _put(self, digest: str, what: bytes | Path) -> None:
        with _as_ours():
            obstore.put(self._store, _key(digest), what, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)

    def _find(self, digest: str) -> "GetResult":
        """Ask for a blob where it is. One that changes places meanwhile is found by one of the next looks."""
        check_digest(digest)
        for look in (self._in_place, self._set_aside) * LOOKS:
            found = look(digest)
            if found is not None:
                return found
        raise NotFound(f"there is no blob {digest}")

    def _in_place(self, digest: str) -> "GetResult | None":
        return self._ask(_key(digest))

    def _set_aside(self, digest: str) -> "GetResult | None":
        for path, _, _ in self._list(f"{LEAVING}/{digest}"):
            return self._ask(path)
        return None

    def _ask(self, key: str) -> "GetResult | None":
        with _as_ours():
            try:
                return obstore.get(self._store, key)
            except FileNotFoundError as error:
                _no_bucket(error)
                return None

    def _list(self, prefix: str | None) -> Iterator[tuple[str, int, datetime]]:
        with _as_ours():
            for batch in obstore.list(self._store, prefix, chunk_size=1000):
                for meta in batch:
                    yield meta["path"], meta["size"], meta["last_modified"]

    def _move(self, source: str, target: str) -> None:
        """Copy, then delete; what is gone was moved by somebody else."""
        with _as_ours():
            try:
                obstore.rename(self._store, source, target)
            except FileNotFoundError as error:
                _no_bucket(error)


def _key(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def _place(url: str) -> tuple[str, str]:
    """Return bucket and prefix of an s3:// URL. The URL is not repeated: it may hold what it should not."""
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or {"@", ":"} & set(parts.netloc) or parts.query:
        raise StorageMisconfigured("LETHE_STORAGE_URL must be like s3://bucket or s3://bucket/prefix")
    return parts.netloc, parts.path.strip("/")


def _secret(path: Path) -> str:
    try:
        return read_secret(path)
    except ValueError as error:
        raise StorageMisconfigured(str(error)) from error


@contextmanager
def _as_ours() -> Iterator[None]:
    """Turn every error of the store into StorageAway. Its own words may repeat a request, so they are cut off."""
    try:
        yield
    except BaseError as error:
        _no_bucket(error)
        raise StorageAway(f"the object store failed: {_words(error)}") from None
    except FileNotFoundError as error:
        _no_bucket(error)
        raise


def _no_bucket(error: Exception) -> None:
    """Raise StorageAway if the bucket is not there, in place of one blob."""
    if "NoSuchBucket" in str(error):
        raise StorageAway("the object store has no such bucket: see LETHE_STORAGE_URL") from None


def _words(error: Exception) -> str:
    """Return an error's first line without the answer's body, which may name credentials."""
    return str(error).partition("\n")[0].partition("<")[0].rstrip(": ")[:300]
