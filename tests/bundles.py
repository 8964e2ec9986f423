"""Zips made in memory."""

import io
import zipfile


def zipped(source: str) -> bytes:
    """Return a bundle whose submission.py holds `source`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("submission.py", source)
    return buffer.getvalue()
