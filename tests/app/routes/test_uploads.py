"""Uploads as they arrive: the time that counts, how long and how many at once, and where their bytes go."""

import io
import os
import random
import subprocess
import tempfile
import zipfile
from datetime import timedelta

import anyio
import httpx
import pytest

from app import phases, registry, uploads
from app.db import read_only, unit_of_work
from app.main import create_app
from app.models import Submission
from app.settings import Settings
from tests.app.routes.bodies import Body, asend, send
from tests.bundles import pack, zipped
from tests.seeding import GOOD

API = "/api/v1/competitions/digits/submissions"
FORM = "/competitions/digits/submit"


@pytest.fixture(params=["api", "form"])
def upload(request, client, bearer, sign_in):
    """Send a bundle in two chunks, by the API or by the form; `between` happens between them."""
    sign_in("ada")

    def by_api(bundle=None, between=lambda: None):
        bundle = bundle or zipped(GOOD)
        return send(client.app, API, Body(bundle[:50], bundle[50:], between=between), bearer("ada"))

    def by_form(bundle=None, between=lambda: None):
        headers, content = encoded(bundle or zipped(GOOD))
        body = Body(content[:50], content[50:], between=between)
        return send(client.app, FORM, body, headers, dict(client.cookies))

    return {"api": by_api, "form": by_form}[request.param]


def encoded(bundle):
    """A form with a file, as a browser writes it."""
    made = httpx.Request("POST", "http://testserver", files={"bundle": ("b.zip", bundle)})
    return {"Content-Type": made.headers["Content-Type"], "Sec-Fetch-Site": "same-origin"}, made.read()


def left_over(world):
    folder = world.data_dir / "uploads"
    return list(folder.iterdir()) if folder.exists() else []


def test_an_upload_that_begins_before_the_close_and_arrives_after_it_is_in_time(upload, world):
    world.competition(closes_at="2026-03-02T09:01:00Z")
    assert upload(between=lambda: world.clock.forward(minutes=2)).status_code in {201, 303}


def test_an_upload_that_begins_at_the_close_is_refused_with_the_time_of_the_close(upload, world):
    world.competition(closes_at="2026-03-02T09:01:00Z")
    world.clock.forward(minutes=1)
    answer = upload()
    assert answer.status_code == 409
    assert "closed at 2026-03-02 09:01 UTC" in answer.text
    assert "Late submissions are not taken" in answer.text
    assert left_over(world) == []


def test_an_upload_that_arrives_after_final_entries_were_taken_is_late(upload, world):
    world.competition(closes_at="2026-03-02T09:01:00Z")

    def close():
        world.clock.forward(minutes=20)
        with unit_of_work(world.engine) as session:
            registry.get_competition(session, "digits").closed_at = world.clock()

    assert upload(between=close).status_code == 409


def test_no_upload_lasts_longer_than_the_close_waits_for_it():
    assert phases.GRACE.total_seconds() > uploads.LONGEST_SECONDS


def test_an_upload_is_paid_with_the_quota_of_the_day_on_which_it_arrives(upload, world):
    world.clock.forward(hours=14, minutes=59)
    assert upload(between=lambda: world.clock.forward(minutes=2)).status_code in {201, 303}
    with read_only(world.engine) as session:
        assert session.query(Submission.created_at).scalar() == world.clock()
    for _ in range(2):
        world.submit("ada")
    assert upload().status_code == 429


def test_a_quota_that_is_used_up_while_the_body_arrives_says_when_to_come_back(upload, world):
    answer = upload(between=lambda: [world.submit("ada") for _ in range(3)] and None)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400


def test_an_upload_that_takes_too_long_is_given_up(upload, world, monkeypatch):
    monkeypatch.setattr(uploads, "LONGEST_SECONDS", 0.2)
    answer = upload(between=anyio.sleep_forever)
    assert answer.status_code == 408
    assert "upload_timeout" in answer.text
    assert left_over(world) == []


def test_a_third_upload_at_once_has_to_wait_and_another_person_has_not(client, bearer):
    async def scenario():
        both, going, begun, statuses = anyio.Event(), anyio.Event(), [], []

        async def wait():
            begun.append(1)
            if len(begun) == 2:
                both.set()
            await going.wait()

        async def slow():
            bundle = zipped(GOOD)
            body = Body(bundle[:50], bundle[50:], between=wait)
            statuses.append((await asend(client.app, API, body, bearer("ada"))).status_code)

        async with anyio.create_task_group() as tasks:
            for _ in range(2):
                tasks.start_soon(slow)
            await both.wait()
            third = Body(zipped(GOOD))
            refused = await asend(client.app, API, third, bearer("ada"))
            other = await asend(client.app, API, Body(zipped(GOOD)), bearer("grace"))
            going.set()
        return refused, third.chunks_read, other.status_code, statuses

    refused, read, other, statuses = anyio.run(scenario)
    assert (refused.status_code, refused.json()["code"], read) == (429, "too_many_uploads", 0)
    assert int(refused.headers["Retry-After"]) > 0
    assert (other, statuses) == (201, [201, 201])
    assert client.post(API, content=zipped(GOOD), headers=bearer("ada")).status_code == 201


def test_a_large_form_is_written_to_our_own_disk_only(upload, world, monkeypatch):
    world.competition(bundle={"per_day": 3, "max_bytes": 5_000_000})
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("submission.py", GOOD)
        archive.writestr("weights.bin", random.Random(0).randbytes(3_000_000))
    seen = []
    answer = upload(buffer.getvalue(), between=lambda: seen.extend(left_over(world)))
    assert answer.status_code in {201, 303}
    assert len(seen) == 1
    assert left_over(world) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_an_upload_that_finds_the_disk_full_is_asked_to_come_back_and_leaves_nothing(upload, world):
    uploads = world.data_dir / "uploads"
    uploads.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(uploads)], check=True)
    try:
        large = pack(("noise", os.urandom(90_000)))
        answer = upload(large)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "storage does not answer" in answer.text
        assert list(uploads.iterdir()) == []
    finally:
        subprocess.run(["umount", str(uploads)], check=True)
    assert upload(large).status_code in {201, 303}


def test_what_a_dead_process_left_behind_is_swept_at_the_start(world):
    for folder in (world.data_dir / "uploads", world.data_dir / "blobs" / "incoming"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, age in (("old", timedelta(hours=25)), ("new", timedelta(hours=23))):
            (folder / name).write_bytes(b"x")
            written = (world.clock() - age).timestamp()
            os.utime(folder / name, (written, written))
    create_app(Settings(data_dir=world.data_dir), clock=world.clock)
    assert [path.name for path in left_over(world)] == ["new"]
    assert [path.name for path in (world.data_dir / "blobs" / "incoming").iterdir()] == ["new"]
