"""What admins see of workers, queue and leases."""

from datetime import timedelta

from app import workers
from app.db import unit_of_work
from app.models import Worker
from app.routes.examples import common as examples
from app.schemas.operations import WorkerList
from app.status import WorkerState
from app.workers import Identity
from tests.lending import lend
from tests.seeding import DAY, LEASE

LIST = "/api/v1/admin/workers"


def heard_of(world, name="w1", state=WorkerState.RUNNING, run_id=None, ago=timedelta()):
    started = world.clock() - timedelta(hours=1)
    who = Identity(name, "gpu-7", 42, "cpu", "d" * 16, "AMD EPYC", "bubblewrap", "0.1.0", started)
    with unit_of_work(world.engine) as session:
        workers.beat(session, who, state, run_id, world.clock() - ago)
    return who


def listed(client, bearer):
    answer = client.get(LIST, headers=bearer("root"))
    assert answer.status_code == 200
    return answer.json()


def test_the_example_is_what_the_api_answers():
    assert WorkerList.model_validate(examples.WORKERS).model_dump(mode="json") == examples.WORKERS


def test_only_admins_see_workers(client, bearer):
    assert client.get(LIST, headers=bearer("ada")).status_code == 403
    assert client.get(LIST).status_code == 401


def test_admins_see_a_workers_run_and_its_lease(client, world, bearer):
    submission = world.submit("ada")
    with unit_of_work(world.engine) as session:
        [claim] = lend(session, worker="w1", limit=1, now=world.clock(), lease=LEASE, queue_due=DAY)
    heard_of(world, run_id=claim.run_id)
    found = listed(client, bearer)
    [worker], [lease] = found["items"], found["leases"]
    assert (worker["name"], worker["state"], worker["run_id"]) == ("w1", "running", claim.run_id)
    assert (lease["run_id"], lease["submission_id"], lease["worker"]) == (claim.run_id, submission, "w1")
    assert lease["cutoff_seconds"] == claim.cutoff_seconds
    assert found["queue"]["normal"] == 3
    assert found["queue"]["low"] == 0


def test_a_worker_that_is_silent_for_longer_than_a_lease_counts_as_lost(client, world, bearer):
    heard_of(world, "quick", WorkerState.IDLE)
    heard_of(world, "silent", WorkerState.IDLE, ago=timedelta(seconds=61))
    states = {one["name"]: one["state"] for one in listed(client, bearer)["items"]}
    assert states == {"quick": "idle", "silent": "lost"}


def test_after_a_day_a_worker_is_forgotten(world):
    heard_of(world, "gone", ago=timedelta(days=1))
    heard_of(world, "there", ago=timedelta(hours=23))
    with unit_of_work(world.engine) as session:
        workers.forget(session, world.clock())
        assert [one.name for one in session.query(Worker)] == ["there"]


def test_a_worker_that_stops_takes_its_row_away_but_not_that_of_its_successor(world):
    first = heard_of(world)
    world.clock.forward(minutes=5)
    second = heard_of(world)
    for who, left in ((first, 1), (second, 0)):
        with unit_of_work(world.engine) as session:
            workers.leave(session, who)
            assert session.query(Worker).count() == left


def test_the_page_says_how_to_start_a_worker_and_then_shows_it(client, world, sign_in):
    sign_in("root")
    assert "No worker has been heard of." in client.get("/admin/workers").text
    world.submit("ada")
    with unit_of_work(world.engine) as session:
        [claim] = lend(session, worker="w1", limit=1, now=world.clock(), lease=LEASE, queue_due=DAY)
    heard_of(world, "w1", WorkerState.SUSPECT)
    text = client.get("/admin/workers").text
    for words in ("w1", "suspect", "AMD EPYC", "42 on gpu-7", claim.run_id[:8], "Lease until"):
        assert words in text
