"""From a request's body to a file: in constant memory, capped in size and time, written in a thread."""

import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from anyio import fail_after
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from app.errors import BadRequest, BundleTooLarge, TooManyUploads, UploadTimeout
from app.storage import StorageAway

BATCH = 1 << 20
FORM_OVERHEAD = 64 << 10  # boundaries, headers and the other fields of a form
LONGEST_SECONDS = 600.0
"""How long the body of one upload may take to arrive."""


AT_ONCE = 2
"""Uploads that one person may have under way."""


def too_many(most: int) -> TooManyUploads:
    """Return the refusal of one more."""
    return TooManyUploads(
        f"{most} uploads of yours are still under way.",
        advice="Wait until one of them has ended.",
        retry_after=5,
    )


@dataclass(frozen=True)
class FormUpload:
    """What a plain HTML form brought."""

    path: Path
    note: str


def refuse_early(request: Request, limit: int) -> None:
    """Raise BundleTooLarge before a byte is read if the request says that it is over the limit."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > limit:
        raise BundleTooLarge(limit)


async def save_body(request: Request, folder: Path, limit: int) -> Path:
    """Stream the raw body to a new file in `folder` and return it. Raises BundleTooLarge, BadRequest."""
    refuse_early(request, limit)
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise BadRequest(
            "The body is a form, not a zip.",
            advice="Send the zip itself as the body, for example with curl --data-binary @bundle.zip.",
        )
    path = await run_in_threadpool(_new_file, folder)
    try:
        with _in_time(), _room_on_disk():
            await _write(capped(request, limit, limit), path)
    except BaseException:
        discard(path)
        raise
    return path


@contextmanager
def _in_time() -> Iterator[None]:
    try:
        with fail_after(LONGEST_SECONDS):
            yield
    except TimeoutError as error:
        raise UploadTimeout(
            f"It had not arrived after {LONGEST_SECONDS / 60:g} min.",
            advice="Send a smaller bundle, or send it over a faster connection.",
        ) from error


@contextmanager
def _room_on_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageAway(f"an upload cannot be written: {error.strerror}") from error


def _new_file(folder: Path) -> Path:
    with _room_on_disk():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="upload-", delete=False) as file:
            return Path(file.name)


async def _write(chunks: AsyncGenerator[bytes, None], path: Path) -> None:
    with path.open("wb", buffering=BATCH) as file:  # unbuffered, a write to a full disk may be a short one
        batch = bytearray()
        async for chunk in chunks:
            batch += chunk
            if len(batch) >= BATCH:
                await run_in_threadpool(file.write, bytes(batch))
                batch.clear()
        await run_in_threadpool(file.write, bytes(batch))
        await run_in_threadpool(file.flush)


async def capped(request: Request, limit: int, told: int) -> AsyncGenerator[bytes, None]:
    """Yield the body until it exceeds `limit` bytes. Raises BundleTooLarge (naming `told`), BadRequest."""
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > limit:
                raise BundleTooLarge(told)
            yield chunk
    except ClientDisconnect as error:
        raise BadRequest("The upload was cut off.", advice="Send it again.") from error


async def save_form(request: Request, folder: Path, limit: int) -> FormUpload:
    """Stream a form's `bundle` file to a new file in `folder`. Raises BundleTooLarge, BadRequest, UploadTimeout."""
    refuse_early(request, limit + FORM_OVERHEAD)
    path = await run_in_threadpool(_new_file, folder)
    try:
        with _in_time(), _room_on_disk():
            note = await _parse(request, path, limit)
    except BaseException:
        discard(path)
        raise
    return FormUpload(path, note)


async def _parse(request: Request, path: Path, limit: int) -> str:
    """Write the form's file to `path`, and return its note."""
    parser = _ToFile(request, path, capped(request, limit + FORM_OVERHEAD, limit))
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise BadRequest("The form cannot be read.", advice="Use the form on the submit page.") from error
    finally:
        parser.close()
    bundle, note = form.get("bundle"), form.get("note", "")
    if not isinstance(bundle, UploadFile) or not bundle.filename or not isinstance(note, str):
        raise BadRequest(
            "No file was chosen.", advice="Choose the zip of your submission, then send the form."
        )
    if (bundle.size or 0) > limit:
        raise BundleTooLarge(limit)
    return note.strip()


class _ToFile(MultiPartParser):
    """Writes the form's one file straight to where it is wanted, never into the system's temporary folder."""

    def __init__(self, request: Request, path: Path, chunks: AsyncGenerator[bytes, None]) -> None:
        super().__init__(request.headers, chunks, max_files=1, max_fields=4, max_part_size=FORM_OVERHEAD)
        self._path = path
        self._file: BinaryIO | None = None

    def on_headers_finished(self) -> None:
        """Put a file of ours in the place of the one that the parser has just made in memory."""
        super().on_headers_finished()
        made = self._current_part.file
        if made is not None:
            made.file.close()
            self._file = self._path.open("wb", buffering=BATCH)
            self._current_part.file = UploadFile(
                self._file, size=0, filename=made.filename, headers=made.headers
            )

    def close(self) -> None:
        """Close the file, if there was one."""
        if self._file is not None:
            self._file.close()


def discard(path: Path) -> None:
    """Remove a temporary file if it is still there."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
