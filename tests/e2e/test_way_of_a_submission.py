"""The whole way of a submission: real web service, real worker process, real sandbox, real SQLite."""

import os
import signal

import pytest

from app.status import RunStatus
from tests.bundles import zipped
from tests.e2e.service import Service

NUDGE = """
import torch
def unlearning(net, retain_loader, forget_loader, val_loader):
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn_like(p) * 0.01)
"""
SLOW = "import time\ndef unlearning(net, retain_loader, forget_loader, val_loader):\n    time.sleep(600)\n"
NAPPING = NUDGE.replace("with torch", "__import__('time').sleep(0.2)\n    with torch")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service.prepared(tmp_path_factory.mktemp("service")) as running:
        yield running


def test_a_bundle_sent_over_http_stands_on_the_leaderboard(service):
    answer = service.submit(zipped(NUDGE))
    assert answer.status_code == 201
    final = service.wait_for(answer.headers["location"])
    assert final["status"] == "done"
    assert final["verdict"] == "scored"
    assert final["runs"]["succeeded"] == final["runs"]["total"] == 4
    board = service.client.get("/api/v1/competitions/tiny/leaderboard").json()
    assert [row["submission_id"] for row in board["rows"]] == [final["id"]]
    assert board["retraining"]["score"] is not None


def test_a_run_over_the_cutoff_ends_the_evaluation(service):
    final = service.wait_for(service.submit(zipped(SLOW)).headers["location"])
    assert (final["verdict"], final["reason"]["code"]) == ("timed_out", "over_cutoff")
    assert final["runs"]["succeeded"] == 0


def test_a_bundle_refused_at_the_door_spends_no_quota(service):
    before = service.client.get("/api/v1/competitions/tiny").json()["quota"]
    answer = service.submit(zipped("x = 1\n"))
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_entry_function")
    assert service.client.get("/api/v1/competitions/tiny").json()["quota"]["used"] == before["used"]


def test_a_worker_killed_in_mid_evaluation_loses_nothing(service):
    location = service.submit(zipped(NAPPING)).headers["location"]
    service.wait_until(lambda: service.read(location)["runs"]["succeeded"] >= 1)
    os.kill(service.worker.pid, signal.SIGKILL)
    service.worker.wait()
    finished_before = service.runs(location, RunStatus.SUCCEEDED)
    assert finished_before
    service.start_worker()
    final = service.wait_for(location)
    assert final["verdict"] == "scored"
    after = service.runs(location, RunStatus.SUCCEEDED)
    assert len(after) == 4
    for run_id, (started_at, fence) in finished_before.items():
        assert after[run_id] == (started_at, fence), "a finished seed was run again"


def test_an_admin_reruns_beside_the_old_score(service):
    location = service.submit(zipped(NUDGE)).headers["location"]
    first = service.wait_for(location)
    answer = service.admin.post(
        f"/api/v1/admin/submissions/{first['id']}/rerun",
        json={"split": "public", "reason": "checking the rerun"},
    )
    assert answer.status_code == 201
    service.wait_until(lambda: service.read(location)["generation"] == 2)
    assert service.read(location)["verdict"] == "scored"
