"""The download of public data: whole, resumable, and never a byte of what is hidden."""

import hashlib

import pytest

from app import public_data
from app.storage import StorageAway
from tests.publishing import HIDDEN, PUBLIC, npz, publish
from worker.material import SMOKE

DATA = "/api/v1/competitions/digits/data"


@pytest.fixture
def published(world):
    return publish(world)


def test_the_list_names_each_public_file_with_size_digest_and_arrays(client, published):
    answer = client.get(DATA)
    assert answer.status_code == 200
    found = answer.json()
    files = {one["name"]: one for one in found["files"]}
    assert set(files) == {"model.py", "material.json", "original.npz", "material.npz"}
    for name, data in PUBLIC.items():
        one = files[name.removeprefix("smoke/")]
        assert (one["bytes"], one["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        assert one["url"] == f"{DATA}/{one['sha256']}"
        assert one["what"]
    assert files["material.npz"]["arrays"][0] == {
        "name": "retain_images",
        "dtype": "float32",
        "shape": [9, 1, 4, 4],
    }
    kinds = {one["name"]: (one["dtype"], one["shape"]) for one in files["original.npz"]["arrays"]}
    assert kinds == {"weight": ("float32", [3, 2]), "steps": ("int64", []), "on": ("bool", [])}
    assert found["total_bytes"] == sum(map(len, PUBLIC.values()))


def test_the_rules_of_a_run_come_along(client, published):
    found = client.get(DATA).json()
    assert found["rules"]["entry_function"] == "unlearning"
    assert found["rules"]["bundle"]["max_bytes"] == 100_000
    assert found["rules"]["evaluation"]["cutoff_fraction"] == 0.2
    assert found["rules"]["sandbox"]["memory_mb"] == 3000
    assert found["full_size"] == {"retain": 500, "forget": 100}
    assert found["retrain_seconds"] == 7.41, "rounded as the competition publishes seconds"


def test_every_file_comes_as_it_is_under_its_digest(client, published):
    for one in client.get(DATA).json()["files"]:
        answer = client.get(one["url"])
        assert hashlib.sha256(answer.content).hexdigest() == one["sha256"]
        assert answer.headers["ETag"] == f'"{one["sha256"]}"'
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{one["name"]}"'
        assert "immutable" in answer.headers["Cache-Control"]


def test_a_download_goes_on_where_it_broke_off(client, published):
    digest = published[0]["smoke/material.npz"]
    whole = PUBLIC["smoke/material.npz"]
    rest = client.get(f"{DATA}/{digest}", headers={"Range": "bytes=100-", "If-Range": f'"{digest}"'})
    assert (rest.status_code, rest.content) == (206, whole[100:])
    assert rest.headers["Content-Range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"
    stale = client.get(f"{DATA}/{digest}", headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert (stale.status_code, stale.content) == (200, whole)
    beyond = client.get(f"{DATA}/{digest}", headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416


def test_who_has_it_is_told_so(client, published):
    listed = client.get(DATA)
    assert client.get(DATA, headers={"If-None-Match": listed.headers["ETag"]}).status_code == 304
    url = listed.json()["files"][0]["url"]
    etag = client.get(url).headers["ETag"]
    assert client.get(url, headers={"If-None-Match": etag}).status_code == 304


def test_nothing_hidden_of_the_reference_is_given_out(client, published):
    listed, reference = published
    public = {digest for name, digest in listed.items() if name.startswith("smoke/")}
    hidden = {digest for name, digest in listed.items() if not name.startswith("smoke/")} - public
    assert len(hidden) == 4, "this test would check nothing"
    text = client.get(DATA).text
    for digest in hidden | {reference}:
        answer = client.get(f"{DATA}/{digest}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert digest == reference or digest not in text
    pages = [client.get(f"/competitions/digits{path}").text for path in ("", "/pages/data", "/pages/rules")]
    for digest in hidden:
        assert all(digest not in page for page in pages)


def test_what_is_no_digest_of_a_file_is_not_found(client, published, world):
    elsewhere = world.storage.put(b"somebody's bundle")
    for one in (elsewhere, "model.py", "smoke%2Fmodel.py", "..%2Fhidden.npz", "0" * 64):
        assert client.get(f"{DATA}/{one}").status_code == 404, one


def test_public_means_the_folder_that_workers_show_to_smoke_runs():
    assert public_data.PUBLIC == SMOKE


def test_a_competition_without_public_data_says_so(client, world):
    answer = client.get(DATA)
    assert (answer.status_code, answer.json()["detail"]) == (404, "This competition gives no public data.")
    assert "Download the public data" not in client.get("/competitions/digits/pages/data").text
    assert client.get("/api/v1/competitions/nothing/data").status_code == 404


def test_nothing_is_given_out_before_the_competition_opens(client, world):
    world.competition("later", opens_at="2026-04-01T00:00:00Z")
    listed, _ = publish(world, "later")
    for url in (
        "/api/v1/competitions/later/data",
        f"/api/v1/competitions/later/data/{listed['smoke/model.py']}",
    ):
        answer = client.get(url)
        assert answer.status_code == 404
        assert answer.json()["advice"] == "It opens at 2026-04-01 00:00 UTC."
    assert "Download the public data" not in client.get("/competitions/later/pages/data").text
    world.clock.forward(days=31)
    assert client.get("/api/v1/competitions/later/data").status_code == 200


def test_a_competition_that_is_not_prepared_says_so(client, world):
    world.competition("raw", prepared=False)
    answer = client.get("/api/v1/competitions/raw/data")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_prepared")


def test_after_another_preparation_the_new_files_count(client, world, published):
    url = f"{DATA}/{published[0]['smoke/material.npz']}"
    assert client.get(url).status_code == 200
    fresh = PUBLIC | HIDDEN | {"smoke/material.npz": npz(retain_labels=[1, 2])}
    world.clock.forward(seconds=1)
    publish(world, files=fresh)
    assert client.get(url).status_code == 404
    found = {one["name"]: one for one in client.get(DATA).json()["files"]}
    assert client.get(found["material.npz"]["url"]).content == fresh["smoke/material.npz"]


def test_the_data_page_lists_the_files_and_the_commands(client, published):
    page = client.get("/competitions/digits/pages/data").text
    assert "lethe data digits" in page
    for name in ("model.py", "material.npz", "original.npz", "material.json"):
        assert f'download="{name}"' in page
    assert " \N{MULTIPLICATION SIGN} ".join("9144") in page
    assert "lethe data digits" not in client.get("/competitions/digits").text


def test_the_page_outlives_a_store_that_is_away(client, published, monkeypatch):
    def away(_digest):
        raise StorageAway("the store is away")

    monkeypatch.setattr(client.app.state.context.storage, "get", away)
    page = client.get("/competitions/digits/pages/data")
    assert page.status_code == 200
    assert "cannot be read just now" in page.text
