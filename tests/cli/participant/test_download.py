"""`lethe download`: the very bytes that were submitted."""

import hashlib
import json

import pytest

from tests.cli.service import Answer, submission

BUNDLE = b"PK\x05\x06" + bytes(18)


@pytest.fixture
def here(tmp_path, monkeypatch, service):
    monkeypatch.chdir(tmp_path)
    found = submission(bundle_digest=hashlib.sha256(BUNDLE).hexdigest(), bundle_bytes=len(BUNDLE))
    service.on("GET /submissions/abc123", Answer(200, found))
    service.on("GET /submissions/abc123/bundle", Answer(200, BUNDLE))
    return tmp_path


def test_the_bundle_is_written_under_its_id(lethe, here, service):
    result = lethe("download", "abc123")
    assert (result.exit_code, result.stdout) == (0, "abc123.zip\n")
    assert (here / "abc123.zip").read_bytes() == BUNDLE
    assert service.seen[-1].headers["Authorization"].startswith("Bearer ")
    assert json.loads(lethe("download", "abc123", "--json").stdout)["path"] == "abc123.zip"


def test_another_file_of_that_name_is_left_alone(lethe, here):
    (here / "mine.zip").write_bytes(b"mine")
    result = lethe("download", "abc123", "-o", "mine.zip")
    assert result.exit_code == 1
    assert (here / "mine.zip").read_bytes() == b"mine"


def test_bytes_of_another_digest_are_not_kept(lethe, here, service):
    service.on("GET /submissions/abc123/bundle", Answer(200, BUNDLE + b"x"))
    result = lethe("download", "abc123")
    assert result.exit_code == 5
    assert list(here.glob("*.zip*")) == []


WHOLE, OTHER = f"abc12345{'0' * 24}", f"abc12345{'1' * 24}"


def test_an_id_as_pages_show_it_is_enough_while_one_submission_begins_so(lethe, here, service):
    found = submission(id=WHOLE, bundle_digest=hashlib.sha256(BUNDLE).hexdigest(), bundle_bytes=len(BUNDLE))
    service.on("GET /submissions", Answer(200, {"items": [found], "next_cursor": None}))
    service.on(f"GET /submissions/{WHOLE}", Answer(200, found))
    service.on(f"GET /submissions/{WHOLE}/bundle", Answer(200, BUNDLE))
    assert lethe("download", "abc12345").stdout == f"{WHOLE}.zip\n"
    service.on(
        "GET /submissions", Answer(200, {"items": [found, found | {"id": OTHER}], "next_cursor": None})
    )
    several = lethe("download", "abc12345")
    assert (several.exit_code, "2 of your submissions begin with" in several.stderr) == (1, True)
