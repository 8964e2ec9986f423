"""What admins see and do about calibrations, and what participants see of the cutoffs made of them."""

import re

import pytest
from sqlalchemy import select

from app import calibrations, evaluations
from app.db import unit_of_work
from app.evaluations import RunOutcome
from app.models import Calibration, Reference
from app.routes.examples import common as examples
from app.schemas.operations import CalibrationOut
from tests.lending import DEVICE, NAME, calibrate, lend
from tests.seeding import DAY, LEASE

LIST = "/api/v1/admin/calibrations"


def calibrated(world, seconds=8.0, device=DEVICE, name=NAME):
    """Measure the public split on a device; return the calibration's id."""
    with unit_of_work(world.engine) as session:
        reference = session.scalar(select(Reference).where(Reference.current))
        return calibrate(session, reference, world.clock(), seconds, device, name).id


def look(world, calibration_id, seconds):
    with unit_of_work(world.engine) as session:
        calibrations.check(session, calibration_id, seconds, "worker-2", world.clock())


def run_on(world, device, seconds):
    """Run one seed on a device."""
    with unit_of_work(world.engine) as session:
        [claim] = lend(
            session, worker="w", limit=1, now=world.clock(), lease=LEASE, queue_due=DAY, device=device
        )
        outcome = RunOutcome(seconds, f"{claim.seed_index:064d}")
        evaluations.record(session, claim, outcome, world.clock(), LEASE, DAY)


def test_the_examples_are_what_the_api_answers():
    shown = CalibrationOut.model_validate(examples.CALIBRATION)
    assert shown.model_dump(mode="json") == examples.CALIBRATION


def test_admins_read_every_calibration_with_its_last_look(client, world, bearer):
    one = calibrated(world)
    assert client.get(LIST, headers=bearer("root")).json()["items"][0]["drift"] is None
    look(world, one, 12.0)
    [item] = client.get(LIST, headers=bearer("root")).json()["items"]
    assert (item["id"], item["competition"], item["split"], item["current"]) == (
        one,
        "digits",
        "public",
        True,
    )
    assert (item["seconds"], item["repeats"], item["device_name"]) == (8.0, [8.0], NAME)
    assert (item["drift"], item["drifted"], item["stale"]) == (1.5, True, False)


def test_an_admin_has_a_device_measured_again(client, world, bearer):
    one = calibrated(world)
    answer = client.post(f"{LIST}/{one}/remeasure", headers=bearer("root"))
    assert (answer.status_code, answer.json()["stale"]) == (200, True)
    events = client.get("/api/v1/admin/events?limit=500", headers=bearer("root")).json()["items"]
    assert [(each["kind"], each["actor"]) for each in events][-1] == ("calibration.remeasure_asked", "root")
    unknown = client.post(f"{LIST}/nothing/remeasure", headers=bearer("root"))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


def test_the_page_shows_what_has_drifted_and_has_a_button(client, world, sign_in):
    sign_in("root")
    assert "Nothing has been measured yet." in client.get("/admin/calibrations").text
    one = calibrated(world)
    assert "drifted</span>" not in client.get("/admin/calibrations").text
    look(world, one, 12.0)
    text = client.get("/admin/calibrations").text
    for words in ("digits public", NAME, "8.00 s", "x 1.50", "drifted</span>", "Measure again"):
        assert words in text
    action = f"/admin/calibrations/{one}/remeasure"
    assert f'action="{action}"' in text
    assert client.post(action).headers["Location"] == "/admin/calibrations"
    assert "measured before the next run there" in client.get("/admin/calibrations").text
    with unit_of_work(world.engine) as session:
        assert session.get_one(Calibration, one).stale


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", LIST),
        ("POST", f"{LIST}/x/remeasure"),
        ("GET", "/admin/calibrations"),
        ("POST", "/admin/calibrations/x/remeasure"),
    ],
)
def test_calibrations_are_closed_to_participants_and_strangers(client, bearer, method, url):
    assert client.request(method, url, headers=bearer("ada")).status_code == 403
    assert client.request(method, url).status_code in {303, 401}


def test_a_submission_tells_each_runs_own_cutoff_and_device(client, world, bearer):
    calibrated(world, 8.0)
    calibrated(world, 10.0, "other", "Slow CPU, 1 thread")
    url = f"/api/v1/submissions/{world.submit('ada')}"
    run_on(world, DEVICE, 0.8)
    run_on(world, "other", 1.9)
    body = client.get(url, headers=bearer("ada")).json()
    assert body["cutoff_seconds"] == pytest.approx(1.48)
    assert [(run["cutoff_seconds"], run["device"]) for run in body["run_details"]] == [
        (pytest.approx(1.6), NAME),
        (2.0, "Slow CPU, 1 thread"),
        (None, None),
        (None, None),
    ]


def test_the_page_measures_each_run_by_its_own_cutoff(client, world, sign_in):
    calibrated(world, 8.0)
    calibrated(world, 10.0, "other", "Slow CPU, 1 thread")
    sign_in("ada")
    page = f"/submissions/{world.submit('ada')}"
    run_on(world, DEVICE, 0.8)
    text = client.get(page).text
    assert "0.80 s less than the cutoff of 1.60 s" in text
    assert "<dt>Device</dt><dd>Test CPU, 1 thread</dd>" in text
    run_on(world, "other", 1.9)
    text = client.get(page).text
    assert "The run closest to its cutoff so far took 95.0 % of it." in text
    rows = re.findall(r"<tr><th scope=\"row\" class=\"num\">(\d)</th>(.*?)</tr>", text)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for _, row in rows]
    assert cells[0][1:5] == ["0.80", "1.60", "0.80 s (50.0 %)", NAME]
    assert cells[1][1:5] == ["1.90", "2.00", "0.10 s (5.0 %)", "Slow CPU, 1 thread"]
    assert cells[2][1:5] == ["", "", "", ""]
    assert "<dt>Devices</dt><dd>Test CPU, 1 thread; Slow CPU, 1 thread</dd>" in text


def test_the_competitions_page_says_that_each_device_has_its_own(client):
    text = client.get("/competitions/digits").text
    assert "about 1.48 s per run" in text
    assert "Each device that runs submissions is timed in the same way first" in text
