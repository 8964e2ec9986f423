"""What an operator's programs ask: readiness, metrics, and the lines of the log."""

import json
import logging
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from app.evaluations import RunOutcome
from app.log_lines import JsonLines
from app.main import create_app
from app.settings import Settings
from app.status import Verdict
from app.storage import LocalStorage
from tests.bundles import zipped
from tests.seeding import GOOD, PASSWORD, World

TOKEN = "0123456789abcdef-metrics"


def serve(world, peer="127.0.0.1", **settings):
    own = Settings(data_dir=world.data_dir, database_url=world.url, **settings)
    headers = {"Sec-Fetch-Site": "same-origin"}
    return TestClient(create_app(own, clock=world.clock), headers=headers, client=(peer, 50000))


def metrics_of(answer):
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def lines(caplog):
    """The log lines so far, as production writes them."""
    seen = []

    class Keep(logging.Handler):
        def emit(self, record):
            seen.append(json.loads(self.format(record)))

    handler = Keep()
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("lethe")
    logger.addHandler(handler)
    caplog.set_level(logging.INFO, logger="lethe")
    yield seen
    logger.removeHandler(handler)


def test_health_does_not_wait_for_a_store_that_is_slow(world, monkeypatch):
    goes_on = threading.Event()
    monkeypatch.setattr(LocalStorage, "put", lambda *_: goes_on.wait(30) or "")
    with serve(world) as client, ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(client.get, path) for path in ("/readyz", "/readyz", "/readyz", "/metrics")]
        try:
            time.sleep(0.5)
            assert pool.submit(client.get, "/healthz").result(10).status_code == 200
        finally:
            goes_on.set()
        assert [one.result(30).status_code for one in asked] == [200] * 4


def test_it_is_ready_when_database_tables_and_storage_are(world):
    with serve(world) as client:
        answer = client.get("/readyz")
    assert answer.json() == {"status": "ready", "checks": {"database": "ok", "storage": "ok"}}


def missing(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"]
    assert answer.json()["code"] == "not_ready"
    return answer.json()["detail"]


def test_a_database_without_this_versions_tables_is_not_ready(world):
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with serve(world) as client:
        assert missing(client) == "The database does not have this version's tables."


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_an_empty_postgres_is_not_ready(engine, tmp_path):
    url = engine.url.render_as_string(hide_password=False)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE empty"))
    settings = Settings(data_dir=tmp_path, database_url=url.replace("/postgres?", "/empty?"))
    with TestClient(create_app(settings)) as client:
        assert missing(client) == "The database does not have this version's tables."


def test_a_database_that_is_away_is_named_and_its_address_is_not(world, caplog):
    url = "postgresql+psycopg://lethe:s3cret@127.0.0.1:1/lethe"
    settings = Settings(data_dir=world.data_dir, database_url=url)
    with TestClient(create_app(settings), client=("127.0.0.1", 1)) as client:
        assert missing(client) == "The database does not answer."
        assert metrics_of(client.get("/metrics"))["lethe_database_up",] == 0
    assert "no database" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_storage_that_cannot_be_written_is_named(world):
    with serve(world) as client:
        shutil.rmtree(world.data_dir / "blobs", ignore_errors=True)
        (world.data_dir / "blobs").write_text("no folder")
        assert missing(client) == "The storage cannot be written."


def test_a_broker_is_told_of_and_never_makes_it_unready(world):
    with socket.create_server(("127.0.0.1", 0)) as broker:
        url = f"redis://127.0.0.1:{broker.getsockname()[1]}/0"
        with serve(world, broker_url=url) as client:
            assert client.get("/readyz").json()["checks"]["broker"] == "ok"
    with serve(world, broker_url=url) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["broker"] == "cannot be reached"


def test_however_often_it_is_asked_the_storage_is_tried_once(world, monkeypatch):
    monkeypatch.setattr("app.readiness.KEPT_SECONDS", 3600.0)
    with serve(world) as client:
        client.get("/readyz")
        shutil.rmtree(world.data_dir / "blobs")
        assert client.get("/readyz").status_code == 200
        assert not (world.data_dir / "blobs").exists()


def test_metrics_are_read_from_this_machine_and_nowhere_else(world):
    with serve(world) as client:
        assert client.get("/metrics").headers["Content-Type"].startswith("text/plain; version=0.0.4")
        for proxied in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
            assert client.get("/metrics", headers={proxied: "192.0.2.7"}).status_code == 401
    with serve(world, peer="192.0.2.7") as client:
        answer = client.get("/metrics")
        assert answer.status_code == 401
        assert answer.json()["code"] == "not_authenticated"


def test_with_a_token_metrics_are_read_by_whoever_has_it(world, tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    for peer in ("127.0.0.1", "192.0.2.7"):
        with serve(world, peer=peer, metrics_token_file=path) as client:
            assert client.get("/metrics").status_code == 401
            for wrong in ("Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ", "Bearer tökén"):
                assert client.get("/metrics", headers={"Authorization": wrong.encode()}).status_code == 401
            assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.fixture
def busy(engine, tmp_path):
    """One scored evaluation, one that failed, one that runs after a loss, on each database."""
    world = World(tmp_path, url=engine.url.render_as_string(hide_password=False))
    for name in ("ada", "grace", "barbara"):
        world.person(name)
    world.competition()
    world.scored("ada", 0.08, 0.99, 0.98)
    world.submit("grace")
    world.run(2, RunOutcome(1.48, None, Verdict.TIMED_OUT, "over_cutoff"))
    world.submit("barbara")
    world.lose_one()
    world.claim_one()
    world.clock.forward(seconds=90)
    yield world
    world.engine.dispose()


def test_metrics_say_what_the_database_holds(busy):
    with serve(busy) as client:
        found = metrics_of(client.get("/metrics"))
    assert found["lethe_database_up",] == 1
    assert found["lethe_evaluations", "running"] == 1
    assert found["lethe_evaluations", "queued"] == 0
    assert (found["lethe_runs", "queued"], found["lethe_runs", "running"]) == (3, 1)
    assert found["lethe_oldest_queued_run_seconds",] == 90
    assert found["lethe_evaluations_done_total", "scored"] == 1
    assert found["lethe_evaluations_done_total", "timed_out"] == 1
    assert found["lethe_evaluations_done_total", "stalled"] == 0
    assert found["lethe_losses_total",] == 1
    ended = {key[2]: value for key, value in found.items() if key[0] == "lethe_runs_ended_total"}
    assert ended == {"succeeded": 5, "failed": 1}
    seconds = {key[2]: value for key, value in found.items() if key[0] == "lethe_run_seconds_total"}
    assert seconds["failed"] == pytest.approx(1.48)
    assert 5 * 0.55 < seconds["succeeded"] < 5 * 1.15


def test_scraping_again_at_once_asks_the_database_nothing(world, monkeypatch):
    monkeypatch.setattr("app.metrics.time", SimpleNamespace(monotonic=lambda: 0.0))
    with serve(world) as client:
        first = metrics_of(client.get("/metrics"))
        world.submit("ada")
        second = metrics_of(client.get("/metrics"))
    assert first["lethe_evaluations", "queued"] == second["lethe_evaluations", "queued"] == 0


def test_requests_are_counted_by_route_and_status_and_strangers_make_no_series(world, bearer):
    submission = world.submit("ada")
    with serve(world) as client:
        for path in (f"/api/v1/submissions/{submission}", "/api/v1/submissions/nothing"):
            client.get(path, headers=bearer("ada"))
        for guess in ("/wp-login.php", "/.env", "/%00"):
            client.get(guess)
        client.request("BREW", "/")
        client.head("/")
        client.get("/static/lethe.css")
        found = metrics_of(client.get("/metrics"))
    counts = {key[1:]: value for key, value in found.items() if key[0] == "lethe_request_seconds_count"}
    assert counts == {
        ("GET", "/api/v1/submissions/{submission_id}", "200"): 1,
        ("GET", "/api/v1/submissions/{submission_id}", "404"): 1,
        ("GET", "none", "404"): 3,
        ("other", "/", "405"): 1,
        ("HEAD", "/", "200"): 1,
        ("GET", "/static", "200"): 1,
    }


def test_a_write_is_logged_with_its_request_and_what_it_made(client, bearer, lines):
    headers = bearer("ada", **{"X-Request-Id": "trace-12345"})
    answer = client.post("/api/v1/competitions/digits/submissions", content=zipped(GOOD), headers=headers)
    assert answer.status_code == 201
    accepted, answered = lines
    assert accepted["message"] == "a submission is accepted"
    assert accepted["submission_id"] == answer.json()["id"]
    assert len(accepted["evaluation_id"]) == 32
    assert answered["status"] == 201
    assert answered["method"] == "POST"
    assert {accepted["request_id"], answered["request_id"]} == {"trace-12345"}


def test_reads_that_go_well_are_counted_and_not_logged(client, lines, monkeypatch):
    monkeypatch.setattr("app.edge.SLOW_SECONDS", 60.0)
    assert client.get("/").status_code == 200
    assert client.get("/nothing").status_code == 404
    assert lines == []


def test_a_read_that_takes_long_is_logged(client, lines, monkeypatch):
    monkeypatch.setattr("app.edge.SLOW_SECONDS", 0.0)
    client.get("/nothing")
    (line,) = lines
    assert line["message"].startswith("GET /nothing answered 404 in ")


def test_no_secret_reaches_the_log_when_everything_fails(client, world, bearer, lines, monkeypatch):
    def explode(*_args, **_more):
        raise RuntimeError(f"token {world.tokens['ada']}")

    client.post("/sign-in", data={"name": "ada\nforged", "password": PASSWORD})
    client.post("/sign-in", data={"name": "ada", "password": PASSWORD})
    monkeypatch.setattr("app.views.submissions.mine", explode)
    headers = bearer("ada", Cookie="lethe_session=lethe_abcdefghijklmnopqrstuvwxyz")
    assert client.get("/api/v1/submissions?cursor=sesame", headers=headers).status_code == 500
    written = json.dumps(lines)
    assert "RuntimeError: token lethe_***" in written
    for secret in (PASSWORD, world.tokens["ada"], "abcdefghijklm", "sesame", "forged"):
        assert secret not in written


def test_an_error_of_the_database_shows_no_parameters(world):
    with pytest.raises(OperationalError) as raised, world.engine.begin() as connection:
        connection.execute(text("SELECT x FROM nowhere WHERE x = :x"), {"x": "sesame"})
    assert "nowhere" in str(raised.value)
    assert "sesame" not in str(raised.value)
