"""Upgrading a database that holds rows, on both databases."""

import json

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from app.db import alembic_config, make_engine, migrate, read_only, unit_of_work
from app.models import Evaluation, Run, Score, User
from app.status import Lane, RunKind
from tests.app.conftest import NOW

OLD_SCORE = {
    "id": "old",
    "evaluation_id": "e1",
    "grader_version": "1",
    "reference_digest": "d" * 64,
    "score": 0.0923,
    "forgetting_quality": 0.0921,
    "retain_ratio": 1.0,
    "test_ratio": 1.0022,
    "report": json.dumps({"score": 0.0923, "epsilon": [1.5, None]}),
    "created_at": NOW,
}
ROWS = {
    "users": {"id": "u1", "name": "ada", "password_hash": "x", "role": "participant", "created_at": NOW},
    "competitions": {
        "id": "c1",
        "slug": "digits",
        "title": "Digits",
        "config": "{}",
        "pages": "{}",
        "opens_at": NOW,
        "closes_at": NOW,
        "updated_at": NOW,
    },
    "references_": {
        "id": "r1",
        "competition_id": "c1",
        "split": "public",
        "version": 1,
        "current": True,
        "digest": "d" * 64,
        "n_models": 3,
        "retrain_seconds": 10.0,
        "facts": "{}",
        "created_at": NOW,
    },
    "submissions": {
        "id": "s1",
        "user_id": "u1",
        "competition_id": "c1",
        "bundle_digest": "b" * 64,
        "bundle_bytes": 10,
        "note": "",
        "created_at": NOW,
    },
    "evaluations": {
        "id": "e1",
        "submission_id": "s1",
        "reference_id": "r1",
        "split": "public",
        "generation": 1,
        "status": "done",
        "verdict": "scored",
        "published": True,
        "cancel_requested": False,
        "n_runs": 3,
        "cutoff_seconds": 2.0,
        "fence": 1,
        "losses": 0,
        "created_at": NOW,
    },
    "runs": {
        "id": "x1",
        "evaluation_id": "e1",
        "seed_index": 0,
        "seed": 7,
        "status": "succeeded",
        "fence": 1,
        "losses": 0,
        "seconds": 1.2,
        "queued_at": NOW,
    },
    "scores": OLD_SCORE,
}


@pytest.fixture(params=["sqlite", "postgres"])
def first(request, tmp_path):
    """A database at revision 0001 with a score in it."""
    url = f"sqlite:///{tmp_path / 'lethe.db'}"
    if request.param == "postgres":
        postgres_url = request.getfixturevalue("postgres_url")
        server = make_engine(postgres_url).execution_options(isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS first"))
            connection.execute(text("CREATE DATABASE first"))
        server.dispose()
        url = postgres_url.replace("/postgres?", "/first?")
    engine = make_engine(url)
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0001")
        for table, row in ROWS.items():
            insert(connection, table, row)
    yield engine
    engine.dispose()


def insert(connection, table, row):
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    when = {
        name: value.replace(tzinfo=None) if value is NOW and connection.dialect.name == "sqlite" else value
        for name, value in row.items()
    }
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), when)


def another(version, *, current, name="other"):
    return Score(
        **OLD_SCORE | {"id": name, "grader_version": version, "report": {}},
        current=current,
        calibrated_score=1.0,
        flags=["ties"],
        replicates={"official": [0.1], "calibrated": [1.1]},
    )


def test_scores_that_there_are_become_current_and_keep_their_numbers(first):
    migrate(first)
    with read_only(first) as session:
        score = session.get_one(Evaluation, "e1").score
        assert (score.score, score.grader_version, score.current, score.created_at) == (
            0.0923,
            "1",
            True,
            NOW,
        )
        assert score.report == {"score": 0.0923, "epsilon": [1.5, None]}
        assert (score.calibrated_score, score.interval_low, score.calibrated_high) == (None, None, None)
        assert (score.flags, score.replicates, score.summary) == ([], {}, None)


def test_an_evaluation_has_one_score_of_each_version_and_one_current_one(first):
    migrate(first)
    with unit_of_work(first) as session:
        session.add(another("2", current=False))
    with read_only(first) as session:
        assert session.get_one(Evaluation, "e1").score.grader_version == "1"
    for version, current in (("2", False), ("3", True)):
        with pytest.raises(IntegrityError), unit_of_work(first) as session:
            session.add(another(version, current=current, name="twice"))


def test_what_is_read_often_stands_before_the_report_in_sqlite(first):
    migrate(first)
    names = [column["name"] for column in inspect(first).get_columns("scores")]
    if first.dialect.name == "sqlite":
        assert names[-2:] == ["report", "created_at"]
    assert set(names) == {column.name for column in Score.__table__.columns}


def test_runs_and_references_that_there_are_know_of_no_public_data(first):
    migrate(first)
    with read_only(first) as session:
        run = session.get_one(Run, "x1")
        assert (run.kind, run.log_digest, run.log_dropped_bytes) == (RunKind.SEED, None, None)
        assert not run.evaluation.reference.smoke


def test_going_back_drops_smoke_runs_and_keeps_the_others(first):
    migrate(first)
    with first.begin() as connection:
        command.downgrade(alembic_config(connection), "0004")
        insert(connection, "runs", ROWS["runs"] | {"id": "x2", "kind": "smoke", "seed_index": -1})
        command.downgrade(alembic_config(connection), "0003")
        assert connection.execute(text("SELECT id FROM runs")).scalars().all() == ["x1"]


def test_going_back_keeps_the_current_scores_alone(first):
    migrate(first)
    with unit_of_work(first) as session:
        session.add(another("2", current=False))
    with first.begin() as connection:
        command.downgrade(alembic_config(connection), "0001")
        rows = connection.execute(text("SELECT id, grader_version, score FROM scores")).all()
    assert [tuple(row) for row in rows] == [("old", "1", 0.0923)]
    with pytest.raises(IntegrityError), first.begin() as connection:
        insert(connection, "scores", OLD_SCORE | {"id": "second", "grader_version": "2"})


def test_evaluations_get_the_fraction_behind_their_cutoff_and_runs_the_cutoff_they_ran_under(first):
    with first.begin() as connection:
        insert(connection, "runs", ROWS["runs"] | {"id": "x2", "seed_index": 1, "status": "queued"})
    migrate(first)
    with read_only(first) as session:
        evaluation = session.get_one(Evaluation, "e1")
        assert (evaluation.cutoff_fraction, evaluation.cutoff_seconds) == (0.2, 2.0)
        ran, waits = evaluation.runs
        assert (ran.cutoff_seconds, ran.seconds, ran.calibration) == (2.0, 1.2, None)
        assert (waits.cutoff_seconds, waits.calibration) == (None, None)


def test_going_back_before_calibrations_keeps_evaluations_and_runs(first):
    migrate(first)
    with first.begin() as connection:
        command.downgrade(alembic_config(connection), "0002")
        rows = connection.execute(text("SELECT id, cutoff_seconds FROM evaluations")).all()
        assert [tuple(row) for row in rows] == [("e1", 2.0)]
        assert "calibrations" not in inspect(connection).get_table_names()
    migrate(first)
    with read_only(first) as session:
        assert session.get_one(Run, "x1").cutoff_seconds == 2.0


def test_runs_that_there_are_get_their_place_in_the_queue_and_go_back_without_it(first):
    with first.begin() as connection:
        again = {"id": "e2", "generation": 2, "published": False, "status": "queued", "verdict": None}
        insert(connection, "evaluations", ROWS["evaluations"] | again)
        insert(connection, "runs", ROWS["runs"] | {"id": "x2", "evaluation_id": "e2", "status": "queued"})
    migrate(first)
    with read_only(first) as session:
        asked_for, rerun = session.get_one(Run, "x1"), session.get_one(Run, "x2")
        assert (asked_for.reference_id, asked_for.lane, asked_for.turn) == ("r1", Lane.NORMAL, 0)
        assert (rerun.reference_id, rerun.lane, rerun.turn) == ("r1", Lane.LOW, 0)
        assert session.get_one(User, "u1").turn == -1
    with first.begin() as connection:
        command.downgrade(alembic_config(connection), "0004")
        assert connection.execute(text("SELECT id FROM runs ORDER BY id")).scalars().all() == ["x1", "x2"]
        assert "workers" not in inspect(connection).get_table_names()
    migrate(first)
