"""The collection of blobs that nothing names, on every storage, and beside puts that are going on."""

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import obstore
import pytest
from sqlalchemy import delete, update

from app.db import read_only, unit_of_work
from app.errors import NotFound
from app.garbage import ManifestUnreadable, collect
from app.models import Reference, Run, Submission
from app.storage import LocalStorage, StorageAway
from tests.app.conftest import NOW

FAR = timedelta(hours=1)


@pytest.fixture(params=["local", "remote"])
def storage(request, tmp_path):
    if request.param == "local":
        return LocalStorage(tmp_path / "blobs")
    return request.getfixturevalue("object_store").storage(tmp_path)


def manifest(storage, *digests):
    files = {f"file-{index}": digest for index, digest in enumerate(digests)}
    return storage.put(json.dumps({"files": files}).encode())


@pytest.fixture
def place(world, ada, storage):
    """A database whose references are real, and one submission with a log."""
    digests = {split: manifest(storage, storage.put(split.encode())) for split in ("public", "private")}
    with unit_of_work(world.engine) as session:
        for split, digest in digests.items():
            session.execute(update(Reference).where(Reference.split == split).values(digest=digest))
    submission_id, _ = world.submission(ada, runs=1, smoke_seed=1)
    with unit_of_work(world.engine) as session:
        session.get_one(Submission, submission_id).bundle_digest = storage.put(b"bundle")
        smoke, seed = session.query(Run).order_by(Run.seed_index).all()
        smoke.log_digest, seed.outputs_digest = storage.put(b"log"), storage.put(b"outputs")
    return SimpleNamespace(engine=world.engine, storage=storage, submission_id=submission_id)


def gc(place, moment=FAR, **options):
    """Collect what is older than a moment, seen from now."""
    return collect(place.engine, place.storage, datetime.now(UTC) + moment, **options)


def counts(found):
    return {name: (tally.blobs, tally.bytes) for name, tally in vars(found).items() if tally.blobs}


def digests(blobs):
    return sorted(blob.digest for blob in blobs)


def test_what_any_row_or_manifest_names_is_kept_and_the_rest_goes_in_two_steps(place):
    named = digests(place.storage.blobs())
    assert len(named) == 7
    lost = place.storage.put(b"lost")
    first = gc(place)
    assert (first.kept.blobs, first.set_aside.blobs, first.set_aside.bytes) == (7, 1, 4)
    assert place.storage.get(lost) == b"lost"
    assert counts(gc(place, -FAR))["waiting"] == (1, 4)
    assert counts(gc(place))["discarded"] == (1, 4)
    with pytest.raises(NotFound):
        place.storage.get(lost)
    assert digests(place.storage.blobs()) == named
    for digest in named:
        place.storage.get(digest)


def test_what_is_young_is_kept_though_nothing_names_it(place):
    place.storage.put(b"on its way")
    assert set(counts(gc(place, -FAR))) == {"kept"}


def test_putting_bytes_again_makes_them_young(place):
    lost = place.storage.put(b"lost")
    time.sleep(2.1)  # a store tells the time in whole seconds
    again = datetime.now(UTC)
    place.storage.put(b"lost")
    collect(place.engine, place.storage, again - timedelta(seconds=1))
    assert lost in digests(place.storage.blobs())
    assert lost not in digests(place.storage.aside())


def test_a_dry_run_tells_the_same_and_does_nothing(place):
    place.storage.put(b"lost")
    told = gc(place, dry_run=True)
    assert (digests(place.storage.aside()), counts(told)["set_aside"]) == ([], (1, 4))
    assert counts(gc(place)) == counts(told)
    told = gc(place, dry_run=True)
    assert counts(told)["discarded"] == (1, 4)
    assert len(digests(place.storage.aside())) == 1


def test_what_is_named_while_it_is_aside_is_brought_back(place):
    late = place.storage.put(b"late")
    gc(place)
    with unit_of_work(place.engine) as session:
        session.get_one(Submission, place.submission_id).bundle_digest = late
    assert counts(gc(place))["brought_back"] == (1, 4)
    assert late in digests(place.storage.blobs())
    assert place.storage.get(late) == b"late"


def test_with_a_manifest_that_cannot_be_read_nothing_is_touched(place):
    lost = place.storage.put(b"lost")
    with unit_of_work(place.engine) as session:
        session.execute(update(Reference).where(Reference.split == "public").values(digest=lost))
    with pytest.raises(ManifestUnreadable, match=lost):
        gc(place)
    assert digests(place.storage.aside()) == []


def named_by_a_row(place, digest):
    with unit_of_work(place.engine) as session:
        session.get_one(Submission, place.submission_id).bundle_digest = digest


def test_a_put_between_listing_and_removal_keeps_its_blob(place, monkeypatch):
    """The rows are read, then the same bytes come once more with a row, then the old listing is acted on."""
    late, kind = place.storage.put(b"late"), type(place.storage)
    set_aside = kind.set_aside

    def racing(self, blob):
        if blob.digest == late:
            named_by_a_row(place, place.storage.put(b"late"))
        set_aside(self, blob)

    monkeypatch.setattr(kind, "set_aside", racing)
    gc(place)
    assert place.storage.get(late) == b"late"
    monkeypatch.undo()
    assert counts(gc(place))["brought_back"] == (1, 4)
    assert place.storage.get(late) == b"late"


@pytest.mark.parametrize("storage", ["remote"], indirect=True)
def test_a_put_between_copy_and_delete_keeps_its_blob(place, monkeypatch):
    late = place.storage.put(b"late")

    def rename(store, source, target):
        obstore.copy(store, source, target)
        named_by_a_row(place, place.storage.put(b"late"))
        obstore.delete(store, source)

    monkeypatch.setattr(obstore, "rename", rename)
    gc(place)
    monkeypatch.undo()
    assert late not in digests(place.storage.blobs())
    assert place.storage.get(late) == b"late"
    gc(place)
    assert late in digests(place.storage.blobs())


def test_a_collection_that_stops_in_the_middle_is_taken_up_by_the_next(place, monkeypatch):
    for index in range(4):
        place.storage.put(b"lost %d" % index)
    kind, done = type(place.storage), []
    set_aside = kind.set_aside

    def failing(self, blob):
        if len(done) == 2:
            raise StorageAway("gone")
        done.append(blob)
        set_aside(self, blob)

    monkeypatch.setattr(kind, "set_aside", failing)
    with pytest.raises(StorageAway):
        gc(place)
    monkeypatch.undo()
    after = counts(gc(place))
    assert (after["set_aside"][0], after["discarded"][0]) == (2, 2)


class Writer:
    """Puts one of a few payloads, commits a row that names it, and later takes the row away; over and over."""

    def __init__(self, place, payload, grace):
        self.place, self.payload, self.grace = place, payload, grace
        self.chance = random.Random(payload)
        self.id = payload.decode()
        self.rows = 0

    def run(self, over):
        while not over.is_set():
            digest = self.place.storage.put(self.payload)
            time.sleep(self.chance.uniform(0, 0.02))
            self.commit(digest)
            for _ in range(3):
                assert self.place.storage.get(digest) == self.payload
                time.sleep(self.chance.uniform(0, self.grace / 2))
            self.remove()
            time.sleep(self.chance.uniform(0, 3 * self.grace))  # long enough to be collected, or about to be

    def commit(self, digest):
        with unit_of_work(self.place.engine) as session:
            first = session.get_one(Submission, self.place.submission_id)
            session.add(
                Submission(
                    id=self.id,
                    user_id=first.user_id,
                    competition_id=first.competition_id,
                    bundle_digest=digest,
                    bundle_bytes=1,
                    note="",
                    created_at=NOW,
                )
            )
        self.rows += 1

    def remove(self):
        with unit_of_work(self.place.engine) as session:
            session.execute(delete(Submission).where(Submission.id == self.id))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_puts_and_two_collections_at_once_lose_no_named_blob(place):
    grace = 3.0  # seconds: a store tells the time in whole ones, and a busy machine commits late
    over, found = threading.Event(), []
    writers = [Writer(place, b"payload %d" % index, grace) for index in range(6)]

    def collecting():
        while not over.is_set():
            found.append(gc(place, -timedelta(seconds=grace)))

    with ThreadPoolExecutor(len(writers) + 2) as pool:
        work = [pool.submit(collecting), pool.submit(collecting)]
        work += [pool.submit(writer.run, over) for writer in writers]
        until = time.monotonic() + 90

        def enough():
            return min(writer.rows for writer in writers) > 1 and any(one.discarded.blobs for one in [*found])

        while time.monotonic() < until and not enough() and not any(one.done() for one in work):
            time.sleep(0.05)
        over.set()
        for one in work:
            one.result()
    assert min(writer.rows for writer in writers) > 1
    assert sum(one.discarded.blobs for one in found) > 0
    with read_only(place.engine) as session:
        assert session.query(Submission).count() == 1
