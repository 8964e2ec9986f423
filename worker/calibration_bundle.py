"""The zip by which a device is calibrated: worker/sandbox/retraining.py as the submission.py of an ordinary bundle."""

import functools
import io
import zipfile
from pathlib import Path

_SOURCE = Path(__file__).with_name("sandbox") / "retraining.py"


_PLACE = 'Path("/material")'


@functools.cache
def bundle(material: str = "/material") -> bytes:
    """Return the bundle; the same bytes at every call. `material` is where it finds the data: in sandboxes, always there."""
    source = _SOURCE.read_text(encoding="utf-8")
    assert _PLACE in source
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("submission.py"), source.replace(_PLACE, f'Path("{material}")'))
    return buffer.getvalue()
