"""A smoke run in a real service: its log comes out, and nothing of a run on hidden data does."""

import os
import subprocess
import sys

from tests.bundles import zipped

SPEAKS = """
import torch
def unlearning(net, retain_loader, forget_loader, val_loader):
    print("sets of", [len(one.dataset) for one in (retain_loader, forget_loader, val_loader)])
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn_like(p) * 0.01)
"""
FAILS_ON_HIDDEN = """
def unlearning(net, retain_loader, forget_loader, val_loader):
    print("retain", len(retain_loader.dataset))
    if len(retain_loader.dataset) != 16:
        raise ValueError(f"a hidden image: {retain_loader.dataset[0]}")
"""
WAITS = """
import time
def unlearning(net, retain_loader, forget_loader, val_loader):
    print("begun")
    while True:
        time.sleep(1)
"""
FAILS = "def unlearning(net, retain_loader, forget_loader, val_loader):\n    print('so far')\n    1 / 0\n"


def submitted(service, source):
    location = service.submit(zipped(source)).headers["location"]
    return service.wait_for(location), service.client.get(f"{location}/log")


def test_an_honest_bundle_is_scored_and_its_log_tells_of_public_data_alone(service):
    final, log = submitted(service, SPEAKS)
    assert (final["verdict"], final["runs"]["succeeded"], final["runs"]["total"]) == ("scored", 4, 4)
    assert final["smoke"]["status"] == "succeeded"
    assert log.text == "sets of [16, 4, 4]\n"


def test_what_is_printed_can_be_read_before_the_run_has_ended_and_stays_when_it_is_stopped(service):
    location = service.submit(zipped(WAITS)).headers["location"]

    def log():
        answer = service.client.get(f"{location}/log")
        return answer.headers.get("Lethe-Run-Status"), answer.text

    service.wait_until(lambda: log() == ("running", "begun\n"))
    service.client.post(f"{location}/cancel")
    service.wait_for(location)
    assert log()[1] == "begun\n"


def test_what_fails_on_hidden_data_alone_leaves_a_reason_and_no_word_of_it(service):
    final, log = submitted(service, FAILS_ON_HIDDEN)
    assert (final["verdict"], final["reason"]["code"]) == ("crashed", "raised")
    assert (final["smoke"]["status"], log.text) == ("succeeded", "retain 16\n")
    page = service.admin.get("/api/v1/admin/events?limit=1000").text
    assert "hidden image" not in page


def test_a_bundle_that_fails_at_once_fails_in_its_smoke_run_with_its_traceback(service):
    final, log = submitted(service, FAILS)
    assert (final["verdict"], final["smoke"]["status"]) == ("crashed", "failed")
    assert log.text.startswith("so far\nTraceback (most recent call last):\n")
    assert log.text.endswith("ZeroDivisionError: division by zero\n")
    assert all(run["seconds"] is None for run in final["run_details"])


def test_the_command_line_prints_the_log(service):
    final, log = submitted(service, FAILS)
    environment = {**os.environ, "LETHE_URL": service.url, "LETHE_TOKEN": service.token}
    command = [sys.executable, "-m", "cli.main", "log", final["id"]]
    done = subprocess.run(
        command, env={**environment, "LETHE_CONFIG": os.devnull}, capture_output=True, text=True, check=True
    )
    assert done.stdout == log.text
