"""The web service with its blobs in an S3-compatible store."""

import hashlib

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from tests.bundles import zipped
from tests.seeding import GOOD


@pytest.fixture
def served(world, object_store):
    """A service whose blobs are in a bucket."""

    def start(bucket):
        application = create_app(object_store.settings(bucket, world.data_dir), clock=world.clock)
        return application.state.context.storage, TestClient(application)

    return start


def submit(client, bearer):
    return client.post(
        "/api/v1/competitions/digits/submissions",
        content=zipped(GOOD),
        headers=bearer("ada", **{"Content-Type": "application/zip"}),
    )


def test_an_upload_is_in_the_bucket_before_it_is_accepted(served, object_store, bearer):
    storage, client = served(object_store.bucket())
    answer = submit(client, bearer)
    assert answer.status_code == 201
    digest = hashlib.sha256(zipped(GOOD)).hexdigest()
    assert storage.get(digest) == zipped(GOOD)


def test_while_the_store_is_away_uploads_are_refused_for_now_and_spend_nothing(served, bearer):
    _, client = served("nowhere")
    answer = submit(client, bearer)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer.headers["Retry-After"]) > 0
    assert "storage does not answer" in answer.json()["detail"]
    assert client.get("/api/v1/submissions", headers=bearer("ada")).json()["items"] == []
