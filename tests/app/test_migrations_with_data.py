"""Down to each revision and up again, with a week's rows in the database, on both kinds of database."""

from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from app.db import MIGRATIONS, alembic_config, migrate, read_only, unit_of_work
from app.models import Base, Competition, Evaluation, Run, Submission
from app.notices import outbox
from app.status import RunKind
from tests.seeding import World, populate

REVISIONS = [one.revision for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("week"))
    populate(world)
    return world


@pytest.fixture(params=["sqlite", "postgres"])
def filled(request, week, tmp_path):
    """An engine on a database that holds a week's rows."""
    if request.param == "sqlite":
        yield week.copy(tmp_path / "week").engine
        return
    engine = request.getfixturevalue("postgres_engine")
    world = World(tmp_path, url=engine.url.render_as_string(hide_password=False))
    populate(world)
    yield world.engine
    world.engine.dispose()
    migrate(engine)
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


def kept(engine):
    """What no migration may lose: who submitted what, how each evaluation ended, and every seed's run."""
    queries = (
        select(Submission.id, Submission.user_id, Submission.bundle_digest, Submission.created_at),
        select(
            Evaluation.id, Evaluation.status, Evaluation.verdict, Evaluation.reason, Evaluation.finished_at
        ),
        select(Run.id, Run.seed, Run.status, Run.seconds, Run.outputs_digest).where(Run.kind == RunKind.SEED),
    )
    with read_only(engine) as session:
        found = [sorted(map(repr, session.execute(query))) for query in queries]
        board = text("SELECT evaluation_id, score, forgetting_quality FROM scores ORDER BY evaluation_id")
        return [*found, [tuple(row) for row in session.execute(board)]]


def test_accounts_that_differ_by_capitals_alone_all_stay_and_one_name_is_free_of_them(filled):
    with filled.begin() as connection:
        command.downgrade(alembic_config(connection), "0014")
        for name in ("ADA", "Mia", "mIA"):
            columns = "id, name, password_hash, role, turn, created_at, mail_notices"
            moment = "SELECT created_at FROM users WHERE name = 'ada'"
            connection.execute(
                text(
                    f"INSERT INTO users ({columns}) VALUES (:name, :name, 'x', 'participant', -1, ({moment}), true)"
                ),
                {"name": name},
            )
    migrate(filled)
    with read_only(filled) as session:
        keys = dict(session.execute(text("SELECT name, name_key FROM users")).all())
    assert {name: keys[name] for name in ("ada", "ADA", "Mia", "mIA")} == {
        "ada": "ada",
        "ADA": "ADA",
        "Mia": "mia",
        "mIA": "mIA",
    }


def test_an_older_version_knows_of_endings_alone_and_not_of_results(filled):
    with unit_of_work(filled) as session:
        ended, person = session.execute(select(Evaluation.id, Submission.user_id).join(Submission)).first()
        at = datetime(2026, 3, 1, tzinfo=UTC)
        outbox.add(session, person, "mail", outbox.DONE, at, evaluation_id=ended)
        competition = session.scalars(select(Competition)).first()
        outbox.add(session, person, "mail", outbox.REVEALED, at, competition_id=competition.id)
    with filled.begin() as connection:
        command.downgrade(alembic_config(connection), "0016")
        kinds = connection.execute(text("SELECT kind FROM notices")).scalars().all()
    assert kinds == [outbox.DONE]
    migrate(filled)


@pytest.mark.parametrize("revision", REVISIONS[1:])
def test_going_down_and_up_again_keeps_rows_and_leaves_no_drift(filled, revision):
    before = kept(filled)
    assert all(before)
    with filled.begin() as connection:
        command.downgrade(alembic_config(connection), revision)
    migrate(filled)
    assert kept(filled) == before
    with filled.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
