"""What every storage does, tried on the local folder and on a real S3-compatible server."""

import hashlib
import stat
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import obstore
import pytest

from app.errors import NotFound
from app.object_storage import ObjectStorage
from app.settings import Settings
from app.storage import DamagedBlob, LocalStorage, open_storage

HELLO = hashlib.sha256(b"hello").hexdigest()


class Local:
    """A storage, and a hand that reaches behind it."""

    def __init__(self, _object_store, folder):
        self.storage = open_storage(Settings(data_dir=folder))
        assert isinstance(self.storage, LocalStorage)
        self.root = folder / "blobs"

    def write(self, name, data):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


class Remote:
    """The same in a bucket."""

    def __init__(self, object_store, folder):
        self.storage = open_storage(object_store.settings(object_store.bucket(), folder))
        assert isinstance(self.storage, ObjectStorage)

    def write(self, name, data):
        obstore.put(self.storage._store, name, data)


@pytest.fixture(params=[Local, Remote])
def place(request, object_store, tmp_path):
    return request.param(object_store, tmp_path)


@pytest.fixture
def storage(place):
    return place.storage


def digests(blobs):
    return sorted(blob.digest for blob in blobs)


def aside(storage, data=b"hello"):
    """Put bytes and set them aside; return the blob that then is aside."""
    storage.put(data)
    (blob,) = storage.blobs()
    storage.set_aside(blob)
    (left,) = storage.aside()
    return left


@pytest.mark.parametrize("data", [b"hello", b"", b"\0" * 100])
def test_bytes_come_back_under_their_sha256(storage, data):
    digest = storage.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert storage.get(digest) == data


@pytest.mark.parametrize("n_bytes", [5, (20 << 20) + 1], ids=["small", "in several parts"])
def test_a_file_is_copied_and_left_where_it_was(storage, tmp_path, n_bytes):
    path = tmp_path / "upload"
    data = hashlib.shake_128(b"seed").digest(n_bytes)
    path.write_bytes(data)
    digest = storage.put_file(path)
    assert digest == hashlib.sha256(data).hexdigest()
    assert storage.get(digest) == data
    assert path.read_bytes() == data


def test_a_blob_is_saved_to_a_file_for_its_owner_alone_and_in_constant_memory(storage, tmp_path):
    data = hashlib.shake_128(b"seed").digest(20 << 20)
    digest = storage.put(data)
    path = tmp_path / "copy"
    tracemalloc.start()
    storage.save(digest, path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.read_bytes() == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert peak < 8 << 20


def test_the_same_bytes_twice_are_one_blob_that_is_as_young_as_the_second(storage):
    before = datetime.now(UTC) - timedelta(seconds=2)  # stores tell the time in whole seconds
    assert storage.put(b"hello") == storage.put(b"hello") == HELLO
    (blob,) = storage.blobs()
    assert (blob.digest, blob.n_bytes) == (HELLO, 5)
    assert before < blob.at < datetime.now(UTC) + timedelta(seconds=2)


def test_a_blob_damaged_in_storage_is_never_returned_and_healed_by_another_put(place, tmp_path):
    storage = place.storage
    storage.put(b"hello")
    place.write(f"{HELLO[:2]}/{HELLO}", b"hallo")
    with pytest.raises(DamagedBlob, match=HELLO):
        storage.get(HELLO)
    with pytest.raises(DamagedBlob, match=HELLO):
        storage.save(HELLO, tmp_path / "copy")
    storage.put(b"hello")
    assert storage.get(HELLO) == b"hello"


@pytest.mark.parametrize("digest", ["0" * 64, "../../etc/passwd", "A" * 64, ""])
def test_an_unknown_digest_is_not_found(storage, tmp_path, digest):
    with pytest.raises(NotFound):
        storage.get(digest)
    with pytest.raises(NotFound):
        storage.save(digest, tmp_path / "copy")


def test_what_is_no_blob_is_not_listed(place):
    place.storage.put(b"hello")
    place.write("ab/notes.txt", b"not ours")
    place.write("leaving/notes.txt", b"not ours")
    assert digests(place.storage.blobs()) == [HELLO]
    assert digests(place.storage.aside()) == []


def test_what_is_set_aside_can_still_be_read(storage, tmp_path):
    left = aside(storage)
    assert (left.digest, left.n_bytes) == (HELLO, 5)
    assert digests(storage.blobs()) == []
    assert storage.get(HELLO) == b"hello"
    storage.save(HELLO, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"hello"


def test_what_is_brought_back_is_in_its_place_again(storage):
    storage.bring_back(aside(storage))
    assert (digests(storage.blobs()), digests(storage.aside())) == ([HELLO], [])
    assert storage.get(HELLO) == b"hello"


def test_what_is_discarded_is_gone_and_a_put_after_it_is_not(storage):
    left = aside(storage)
    storage.discard(left)
    with pytest.raises(NotFound):
        storage.get(HELLO)
    storage.put(b"hello")
    storage.discard(left)
    assert storage.get(HELLO) == b"hello"


def test_a_blob_set_aside_twice_leaves_twice_and_each_copy_goes_alone(storage):
    first = aside(storage)
    storage.put(b"hello")
    (blob,) = storage.blobs()
    storage.set_aside(blob)
    assert digests(storage.aside()) == [HELLO, HELLO]
    storage.discard(first)
    assert storage.get(HELLO) == b"hello"


def test_setting_aside_or_bringing_back_what_is_gone_changes_nothing(storage):
    storage.put(b"hello")
    (blob,) = storage.blobs()
    storage.set_aside(blob)
    (left,) = storage.aside()
    storage.set_aside(blob)
    assert digests(storage.aside()) == [HELLO]
    storage.bring_back(left)
    storage.bring_back(left)
    assert digests(storage.blobs()) == [HELLO]


def test_a_blob_that_changes_places_all_the_time_is_always_found(storage):
    storage.put(b"hello")

    def move():
        for _ in range(30):
            for blob in storage.blobs():
                storage.set_aside(blob)
            for blob in storage.aside():
                storage.bring_back(blob)

    with ThreadPoolExecutor(1) as pool:
        moving = pool.submit(move)
        while not moving.done():
            assert storage.get(HELLO) == b"hello"
        moving.result()


def test_many_may_put_the_same_bytes_at_once(storage):
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: storage.put(b"hello"), range(32))) == {HELLO}
    assert digests(storage.blobs()) == [HELLO]
    assert storage.get(HELLO) == b"hello"
