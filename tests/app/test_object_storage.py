"""What only an S3-compatible store can do wrong: be away, refuse, or be named wrongly."""

import http.server
import logging
import threading
import traceback
from datetime import timedelta

import httpx
import pytest

from app import object_storage
from app.settings import Settings
from app.storage import StorageAway, StorageMisconfigured, open_storage
from tests.object_store import ACCESS_KEY, SECRET_KEY


def every_call(storage, tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(b"x" * (17 << 20))
    digest = "a" * 64
    return {
        "put": lambda: storage.put(b"hello"),
        "put_file": lambda: storage.put_file(path),
        "get": lambda: storage.get(digest),
        "save": lambda: storage.save(digest, tmp_path / "copy"),
        "blobs": lambda: list(storage.blobs()),
        "aside": lambda: list(storage.aside()),
    }


CALLS = ["put", "put_file", "get", "save", "blobs", "aside"]


@pytest.fixture
def away(object_store, tmp_path):
    """A storage whose server has gone."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        endpoint = f"http://127.0.0.1:{server.server_port}"
    settings = object_store.settings("bucket", tmp_path).model_copy(update={"storage_endpoint": endpoint})
    return open_storage(settings, patience=timedelta(milliseconds=200))


@pytest.mark.parametrize("call", CALLS)
def test_a_store_that_is_away_is_the_stores_fault(away, tmp_path, call):
    with pytest.raises(StorageAway, match="the object store failed"):
        every_call(away, tmp_path)[call]()


@pytest.mark.parametrize("call", CALLS)
def test_a_bucket_that_is_not_there_is_no_blob_that_is_not_there(object_store, tmp_path, call):
    storage = open_storage(object_store.settings("nowhere", tmp_path))
    with pytest.raises(StorageAway, match="no such bucket"):
        every_call(storage, tmp_path)[call]()


@pytest.mark.parametrize("call", CALLS)
def test_a_refusal_is_the_stores_fault_and_repeats_no_credentials(object_store, tmp_path, call, caplog):
    caplog.set_level(logging.DEBUG)
    storage = object_store.storage(tmp_path)
    reset = f"{object_store.endpoint}/moto-api/reset-auth"
    httpx.post(
        reset, content=b"0", timeout=60
    ).raise_for_status()  # from now on it wants credentials that it knows
    try:
        with pytest.raises(StorageAway) as caught:
            every_call(storage, tmp_path)[call]()
    finally:
        httpx.post(reset, content=b"Infinity", timeout=60).raise_for_status()
    shown = "".join(traceback.format_exception(caught.value)) + repr(storage) + caplog.text
    assert ACCESS_KEY not in shown
    assert SECRET_KEY not in shown


class Flaky(http.server.BaseHTTPRequestHandler):
    """Fails once, then takes what it is sent."""

    failures = 1

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, type(self).failures = (503, 0) if type(self).failures else (200, 0)
        self.send_response(status)
        self.send_header("ETag", '"e"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_failure_that_passes_is_not_seen(object_store, tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Flaky) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        settings = object_store.settings("bucket", tmp_path).model_copy(update={"storage_endpoint": endpoint})
        open_storage(settings).put(b"hello")
        server.shutdown()
    assert Flaky.failures == 0


@pytest.mark.parametrize(
    "url", ["s3:bucket", "https://bucket/prefix", "s3://", "s3://key:secret@bucket", "s3://bucket?key=secret"]
)
def test_a_url_that_names_no_bucket_is_refused_and_not_repeated(tmp_path, url):
    with pytest.raises(StorageMisconfigured, match="must be like s3://bucket") as caught:
        open_storage(Settings(data_dir=tmp_path, storage_url=url))
    assert "secret" not in str(caught.value)


def test_files_of_credentials_go_together_and_must_be_readable(tmp_path):
    there = tmp_path / "key"
    there.write_text("key")
    place = {"data_dir": tmp_path, "storage_url": "s3://bucket"}
    with pytest.raises(StorageMisconfigured, match="go together"):
        open_storage(Settings(**place, storage_access_key_file=there))
    missing = tmp_path / "missing"
    with pytest.raises(StorageMisconfigured, match="missing cannot be read"):
        open_storage(Settings(**place, storage_access_key_file=there, storage_secret_key_file=missing))


def test_without_files_the_usual_variables_count(object_store, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # the setting wins
    settings = Settings(
        data_dir=tmp_path,
        storage_url=f"s3://{object_store.bucket()}",
        storage_endpoint=object_store.endpoint,
    )
    storage = open_storage(settings)
    assert storage.get(storage.put(b"hello")) == b"hello"


def test_a_put_holds_few_parts_in_memory():
    assert object_storage.PART_BYTES * object_storage.PARTS_AT_ONCE <= 10 << 20
    assert object_storage.PART_BYTES >= 5 << 20  # S3 takes no smaller parts
