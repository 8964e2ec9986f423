"""Every upload of the catalogue: refused with its reason, or unpacked by the runner's own rules to plain files within the limits."""

import io
import tracemalloc
import zipfile

import pytest

from app import archive
from app.competitions import Bundle
from app.errors import Rejected
from tests.hostile.catalogue import Family
from tests.hostile.door_attacks import ACCEPTED, UPLOADS
from worker.sandbox.runner import is_wanted

LIMITS = Bundle(max_bytes=20_000_000, max_unpacked_bytes=5_000_000, max_files=200)
MEMORY = 32 << 20


def verdict_of(upload):
    try:
        archive.inspect(upload, LIMITS, "unlearning")
    except Rejected as refused:
        return refused.code
    return ACCEPTED


@pytest.mark.parametrize("upload", UPLOADS, ids=lambda upload: upload.name.replace(" ", "-"))
def test_an_upload_is_refused_for_its_reason_or_is_what_it_seems(upload, tmp_path, line):
    data = upload.make()
    path, folder = tmp_path / "upload", tmp_path / "unpacked"
    path.write_bytes(data)
    with line(upload.name, Family.ARCHIVE, "door", "verdict, memory, what is unpacked") as say:
        tracemalloc.start()
        try:
            verdict = verdict_of(path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert verdict == upload.expected
        assert peak < MEMORY
        if verdict == ACCEPTED:
            assert set(unpacked(data, folder)) <= PLAIN
        assert sorted(tmp_path.iterdir()) == sorted({path, *([folder] if verdict == ACCEPTED else [])})
        say(verdict)


PLAIN = {"submission.py", "helper.py", "inner.zip"}


def unpacked(data, folder):
    """Unpack as the runner does; return the files' names."""
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        bundle.extractall(folder, [entry for entry in bundle.infolist() if is_wanted(entry)])
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()]
