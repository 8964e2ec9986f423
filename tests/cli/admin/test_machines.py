"""`lethe admin workers`, `calibrations` and `remeasure` against a real service."""

import json

import pytest
from sqlalchemy import select

from app import calibrations
from app.db import unit_of_work
from app.models import Calibration
from tests.lending import calibrate_all


@pytest.fixture
def measured(world):
    """A world with a calibration for each of two splits; gives their ids by split."""
    world.reference("private")
    with unit_of_work(world.engine) as session:
        calibrate_all(session, world.clock())
        session.flush()
        return {one.reference.split: one.id for one in session.scalars(select(Calibration))}


def test_an_admin_sees_workers_the_queue_and_leases(world, lethe):
    nothing = lethe("admin", "workers").stdout.split("\n\n")
    assert nothing == ["runs queued  0, and 0 of reruns", "workers: none", "leases: none\n"]
    world.worker()
    submission = world.submit("ada")
    lent = world.claim_one()
    queue, workers, leases = lethe("admin", "workers").stdout.split("\n\n")
    assert queue == "runs queued  3, and 0 of reruns, the oldest since 2026-03-02 09:00 UTC"
    assert "worker-1  idle   cpu: AMD EPYC 9B14 9a0b1c2d3e4f5a6b  bubblewrap" in workers
    words = leases.splitlines()[1].split()
    assert words[:3] == [lent.evaluation_id, lent.run_id[:8], submission[:8]]
    assert words[3:7] == ["digits", "public", "0", "worker-1"]
    assert "1.48" in words


def test_leases_name_what_can_be_cancelled(world, lethe):
    world.submit("ada")
    world.claim_one()
    evaluation = lethe("admin", "workers").stdout.splitlines()[-1].split()[0]
    assert lethe("admin", "cancel", evaluation, "--reason", "it hangs").exit_code == 0


def test_a_list_of_several_pages_is_read_to_its_end(world, lethe, monkeypatch):
    monkeypatch.setattr("app.cursors.PART_SIZE", 1)
    for name in ("worker-1", "worker-2", "worker-3"):
        world.worker(name)
    found = json.loads(lethe("admin", "workers", "--json").stdout)
    assert [one["name"] for one in found["items"]] == ["worker-1", "worker-2", "worker-3"]
    assert found["next"] is None


def test_a_device_that_has_drifted_is_measured_again(world, lethe, measured):
    calm = lethe("admin", "calibrations")
    assert {line.split()[0] for line in calm.stdout.splitlines()[1:]} == set(measured.values())
    assert calm.stderr == ""
    with unit_of_work(world.engine) as session:
        world.clock.forward(hours=1)
        calibrations.check(session, measured["public"], 14.8, "w1", world.clock())
    drifted = lethe("admin", "calibrations")
    [line] = [one for one in drifted.stdout.splitlines() if one.startswith(measured["public"])]
    assert "digits public, version 1 " in line
    assert "Test CPU, 1 thread 0123456789abcdef" in line
    assert line.endswith("x 2.00, 2026-03-02 10:00 UTC  drifted")
    assert "lethe admin remeasure CALIBRATION" in drifted.stderr
    again = lethe("admin", "remeasure", measured["public"], "--json")
    assert json.loads(again.stdout)["stale"] is True
    assert "digits public" in again.stderr
    after = lethe("admin", "calibrations")
    assert "to be measured again" in after.stdout
    assert after.stderr == ""


def test_an_organiser_has_devices_measured_again_in_their_own_competition_alone(world, lethe, env, measured):
    world.competition("faces")
    world.organiser("olive", "faces")
    env.setenv("LETHE_TOKEN", world.tokens["olive"])
    assert lethe("admin", "workers").exit_code == 3
    assert json.loads(lethe("admin", "calibrations", "--json").stdout)["items"] == []
    assert lethe("admin", "remeasure", measured["public"]).exit_code == 1
