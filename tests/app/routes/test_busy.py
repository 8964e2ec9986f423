"""A database that is away, locked or overrun is said to be busy, never broken."""

import pytest
from starlette.testclient import TestClient

from app import main
from app.main import create_app
from app.settings import Settings


@pytest.fixture
def impatient(world, monkeypatch):
    """A service that does not wait long."""
    monkeypatch.setattr(main, "PATIENCE_SECONDS", 0.05)
    application = create_app(Settings(data_dir=world.data_dir), clock=world.clock)
    with TestClient(application, headers={"Sec-Fetch-Site": "same-origin"}) as client:
        yield client


def check_busy(client, requests, headers):
    for method, path in requests:
        answer = client.request(method, path, headers=headers)
        assert answer.status_code == 503, path
        assert int(answer.headers["Retry-After"]) > 0
        assert "busy" in answer.text
        assert answer.headers["Content-Type"].startswith(
            "application/problem+json" if path.startswith("/api/") else "text/html"
        )


def test_a_locked_sqlite_answers_busy(impatient, world, bearer):
    submission = world.submit("ada")
    requests = [
        ("POST", f"/submissions/{submission}/cancel"),
        ("POST", f"/api/v1/submissions/{submission}/cancel"),
    ]
    with world.engine.begin():
        check_busy(impatient, requests, bearer("ada"))
    assert impatient.post(requests[1][1], headers=bearer("ada")).status_code == 202


def test_a_pool_without_a_free_connection_answers_busy(impatient, bearer):
    pool = impatient.app.state.context.engine.pool
    held = [pool.connect() for _ in range(pool.size() + pool._max_overflow)]
    check_busy(impatient, [("GET", "/"), ("GET", "/api/v1/competitions")], bearer("ada"))
    for connection in held:
        connection.close()
    assert impatient.get("/").status_code == 200


def test_a_database_that_is_away_answers_busy(tmp_path):
    url = f"postgresql+psycopg://lethe@/lethe?host={tmp_path}"
    application = create_app(Settings(data_dir=tmp_path, database_url=url))
    with TestClient(application) as client:
        check_busy(client, [("GET", "/"), ("GET", "/api/v1/competitions")], {"Authorization": "Bearer x"})
        assert client.get("/healthz").status_code == 503
