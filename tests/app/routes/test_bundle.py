"""The download of a bundle: its owner's and the admins', byte for byte, and no copy left behind."""

import hashlib

import pytest


@pytest.fixture
def url(world):
    return f"/api/v1/submissions/{world.submit('ada')}/bundle"


@pytest.fixture
def whole(world, url):
    return next(world.data_dir.glob("upload-*.zip")).read_bytes()


def test_the_bytes_are_those_that_were_submitted(client, whole, url, bearer):
    answer = client.get(url, headers=bearer("ada"))
    assert answer.content == whole
    digest = hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["ETag"] == f'"{digest}"'
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="lethe-')
    assert answer.headers["Cache-Control"] == "private, no-cache"
    known = client.get(url, headers=bearer("ada", **{"If-None-Match": f'"{digest}"'}))
    assert (known.status_code, known.content) == (304, b"")


def test_a_download_can_be_resumed_and_leaves_no_copy(client, world, whole, url, bearer):
    rest = client.get(url, headers=bearer("ada", Range="bytes=10-"))
    assert (rest.status_code, rest.content) == (206, whole[10:])
    assert list((world.data_dir / "uploads").glob("bundle-*")) == []


def test_it_is_the_owners_and_the_admins(client, url, bearer):
    assert client.get(url).status_code == 401
    assert client.get(url, headers=bearer("grace")).status_code == 404
    assert client.get(url, headers=bearer("root")).status_code == 200


def test_the_page_links_to_it(client, world, url, sign_in):
    sign_in("ada")
    page = client.get(url.removeprefix("/api/v1").removesuffix("/bundle")).text
    assert f'href="{url}"' in page
    assert client.get(url).status_code == 200, "the browser's own sign-in counts"
