"""What PostgreSQL does to find work in a long queue: read the queue's index, and no table from end to end."""

import json

import pytest
from sqlalchemy import event, text

from app.db import unit_of_work
from tests.app.conftest import DAY, LEASE, NOW
from tests.lending import lend
from tests.queue import fill

QUEUED = 100_000
SCANS = {"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Sample Scan"}
pytestmark = pytest.mark.parametrize("engine", ["postgres"], indirect=True)


@pytest.fixture
def crowded(world, ada):
    world.submission(ada)
    fill(world.engine, QUEUED)
    return world


def explained(engine, work):
    """Return (statement, plan) of every query that `work` sends."""
    sent = []

    def keep(_connection, _cursor, statement, parameters, *_):
        if statement.startswith(("SELECT", "UPDATE")):
            sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", keep)
    work()
    event.remove(engine, "before_cursor_execute", keep)
    with engine.begin() as connection:
        for statement, parameters in sent:
            found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar()
            yield statement, found if isinstance(found, list) else json.loads(found)


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def scans(plans, tables):
    """Return the nodes that read one of these tables."""
    return [
        node
        for _, plan in plans
        for node in nodes(plan[0]["Plan"])
        if node.get("Relation Name") in tables and node["Node Type"] in SCANS
    ]


def test_claiming_among_a_hundred_thousand_queued_runs_reads_no_run_but_by_an_index(crowded):
    def claim():
        with unit_of_work(crowded.engine) as session:
            (one,) = lend(session, worker="w", limit=1, now=NOW, lease=LEASE, queue_due=DAY)
            assert one.cutoff_seconds == 2.0

    plans = list(explained(crowded.engine, claim))
    looked = scans(plans, {"runs"})
    assert looked, "the queue was not read at all: this test would check nothing"
    assert {node["Node Type"] for node in looked} <= {"Index Scan", "Index Only Scan"}, looked
    queue = [node for node in looked if node.get("Index Name") == "ix_runs_queue"]
    assert any(node["Node Type"] == "Index Only Scan" for node in queue)
    assert all(plan[0]["Plan"]["Total Cost"] < 1000 for _, plan in plans)


def test_a_new_submission_finds_its_turn_in_the_index_alone(crowded, ada):
    plans = list(explained(crowded.engine, lambda: crowded.submission(ada, at=NOW + LEASE)))
    looked = scans(plans, {"runs", "evaluations"})
    assert looked
    assert {node["Node Type"] for node in looked} <= {"Index Scan", "Index Only Scan"}, looked


def test_the_queue_is_as_long_as_was_meant(crowded):
    with crowded.engine.connect() as connection:
        queued = connection.execute(text("SELECT count(*) FROM runs WHERE status = 'queued'")).scalar()
    assert queued == QUEUED + 3
