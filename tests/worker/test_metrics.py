import json
import logging
import socket
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import evaluations
from app.db import unit_of_work
from app.log_lines import JsonLines
from tests.processes import wait_until
from worker.metrics import WorkerMetrics, parse_address, serve

DAY = timedelta(hours=24)
TOKEN = "0123456789abcdef-metrics"


def values_of(text):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def shown():
    """A worker's metrics on a port, behind a token or none."""
    servers = []

    def start(token=None):
        metrics = WorkerMetrics()
        server = serve(metrics, ("127.0.0.1", 0), token)
        servers.append(server)
        return metrics, f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def ask(url, **headers):
    return httpx.get(url, headers=headers, trust_env=False, timeout=60)


def test_a_worker_counts_what_it_did(bench):
    worker = bench.worker(bench.honest)
    bench.drain(worker)
    found = values_of(worker.metrics.text().decode())
    assert found["lethe_worker_runs_total", "ok"] == 4
    assert found["lethe_claim_seconds_count",] >= 5
    for work in ("calibration", "run", "scoring"):
        assert found["lethe_busy_seconds_total", work] > 0
    assert found["lethe_leases_lost_total",] == found["lethe_faults_total",] == 0


def test_a_lost_lease_is_counted(bench):
    late = []

    def behaviour(job):
        if not late:
            late.append(job)
            with unit_of_work(bench.engine) as session:
                evaluations.reap(session, datetime.now(UTC) + timedelta(hours=1), DAY)
        return bench.honest(job)

    worker = bench.worker(behaviour)
    bench.drain(worker)
    assert values_of(worker.metrics.text().decode())["lethe_leases_lost_total",] == 1


def test_a_workers_lines_name_evaluation_and_run_and_a_heartbeats_too(bench, caplog):
    caplog.set_level(logging.INFO, logger="lethe.worker")
    seen = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(json.loads(JsonLines().format(record)))
    logger = logging.getLogger("lethe.worker")
    logger.addHandler(handler)
    bench.drain(bench.worker(bench.honest))
    logger.removeHandler(handler)
    evaluation, _, runs = bench.evaluation()
    recorded = [line for line in seen if ": ok in " in line["message"]]
    assert {line["run_id"] for line in recorded} == {run.id for run in runs}
    assert {line["evaluation_id"] for line in recorded} == {evaluation.id}
    assert seen[-1]["message"] == f"evaluation {evaluation.id} is scored"
    assert seen[-1]["evaluation_id"] == evaluation.id


def test_metrics_and_health_are_answered_on_a_port(shown):
    metrics, url = shown()
    metrics.faults.inc()
    assert ask(f"{url}/healthz").status_code == 200
    assert values_of(ask(f"{url}/metrics").text)["lethe_faults_total",] == 1
    assert ask(f"{url}/else").status_code == 404
    assert ask(f"{url}/metrics", **{"X-Forwarded-For": "192.0.2.7"}).status_code == 401


def is_healthy(url):
    try:
        return ask(f"{url}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def test_connections_that_say_nothing_take_no_more_than_a_few_threads(shown):
    _, url = shown()
    host, port = url.removeprefix("http://").split(":")
    with ExitStack() as silent:
        before = threading.active_count()
        for _ in range(50):
            silent.enter_context(socket.create_connection((host, int(port))))
        time.sleep(0.5)
        assert threading.active_count() - before <= 8
    wait_until(lambda: is_healthy(url))


def test_with_a_token_only_health_is_for_everybody(shown):
    _, url = shown(TOKEN)
    assert ask(f"{url}/healthz").status_code == 200
    assert ask(f"{url}/metrics").status_code == 401
    assert ask(f"{url}/metrics", Authorization=f"Bearer {TOKEN}").status_code == 200


@pytest.mark.parametrize("address", ["", "9101", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000"])
def test_an_address_has_a_host_and_a_port(address):
    with pytest.raises(ValueError, match="no address and port"):
        parse_address(address, TOKEN)


def test_an_address_for_other_machines_wants_a_token():
    assert parse_address("127.0.0.1:9101", None) == ("127.0.0.1", 9101)
    assert parse_address("0.0.0.0:9101", TOKEN) == ("0.0.0.0", 9101)
    with pytest.raises(ValueError, match="LETHE_METRICS_TOKEN_FILE"):
        parse_address("0.0.0.0:9101", None)


def test_a_port_that_is_taken_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        serve(WorkerMetrics(), other.getsockname(), None)
