"""From a request's body to a file: in constant memory, size-capped, written in a thread."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from app.errors import BadRequest, BundleTooLarge

BATCH = 1 << 20
FORM_OVERHEAD = 64 << 10  # boundaries, headers and the other fields of a form


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
        await _write(capped(request, limit, limit), path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _new_file(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="upload-", delete=False) as file:
        return Path(file.name)


async def _write(chunks: AsyncGenerator[bytes, None], path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        batch = bytearray()
        async for chunk in chunks:
            batch += chunk
            if len(batch) >= BATCH:
                await run_in_threadpool(file.write, bytes(batch))
                batch.clear()
        await run_in_threadpool(file.write, bytes(batch))


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
    """Stream a form's `bundle` file to a new file in `folder`. Raises BundleTooLarge, BadRequest."""
    refuse_early(request, limit + FORM_OVERHEAD)
    chunks = capped(request, limit + FORM_OVERHEAD, limit)
    parser = MultiPartParser(request.headers, chunks, max_files=1, max_fields=4, max_part_size=FORM_OVERHEAD)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise BadRequest("The form cannot be read.", advice="Use the form on the submit page.") from error
    try:
        bundle, note = form.get("bundle"), form.get("note", "")
        if not isinstance(bundle, UploadFile) or not bundle.filename or not isinstance(note, str):
            raise BadRequest(
                "No file was chosen.", advice="Choose the zip of your submission, then send the form."
            )
        if (bundle.size or 0) > limit:
            raise BundleTooLarge(limit)
        return FormUpload(await run_in_threadpool(_copy, bundle.file, folder), note.strip())
    finally:
        await form.close()


def _copy(source: IO[bytes], folder: Path) -> Path:
    path = _new_file(folder)
    with path.open("wb") as file:
        source.seek(0)
        while batch := source.read(BATCH):
            file.write(batch)
    return path


def discard(path: Path) -> None:
    """Remove a temporary file if it is still there."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
