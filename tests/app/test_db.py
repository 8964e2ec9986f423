"""Units of work, migrations and column types, on both databases."""

import stat
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import StatementError

from app.db import (
    DATABASE_AWAY,
    UnitOfWork,
    alembic_config,
    is_migrated,
    make_engine,
    migrate,
    read_only,
    snapshot,
    unit_of_work,
)
from app.models import Base, User
from app.status import Status
from tests.app.conftest import NOW


def user(name="ada", created_at=NOW):
    return User(id=name, name=name, password_hash="x", role="participant", created_at=created_at)


def names(engine):
    with read_only(engine) as session:
        return sorted(row.name for row in session.query(User))


def test_models_and_migrations_do_not_drift(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.fixture
def bare(request, tmp_path, postgres_url):
    """Databases of each kind with nothing in them."""
    url = f"sqlite:///{tmp_path / 'new' / 'lethe.db'}"
    if request.param == "postgres":
        server = make_engine(postgres_url).execution_options(isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS bare"))
            connection.execute(text("CREATE DATABASE bare"))
        server.dispose()
        url = postgres_url.replace("/postgres?", "/bare?")
    return url


@pytest.mark.parametrize("bare", ["sqlite", "postgres"], indirect=True)
def test_migrations_go_up_twice_and_down_and_up_again(bare):
    migrate(bare)
    migrate(bare)
    engine = make_engine(bare)
    assert set(inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("SELECT count(*) FROM runs"))
    engine.dispose()


@pytest.mark.parametrize("bare", ["sqlite", "postgres"], indirect=True)
def test_a_database_is_known_to_be_migrated_only_after_it_was(bare):
    engine = make_engine(bare)
    assert not is_migrated(engine)
    migrate(engine)
    assert is_migrated(engine)
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert not is_migrated(engine)
    engine.dispose()


def test_asking_whether_it_is_migrated_makes_no_file(tmp_path):
    assert not is_migrated(make_engine(f"sqlite:///{tmp_path / 'lethe.db'}"))
    assert list(tmp_path.iterdir()) == []


def test_an_sqlite_database_is_for_its_owner_alone(tmp_path):
    folder = tmp_path / "var"
    migrate(f"sqlite:///{folder / 'lethe.db'}")
    engine = make_engine(f"sqlite:///{folder / 'lethe.db'}")
    with unit_of_work(engine) as session:
        session.add(user())
        session.flush()
        files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert set(files) >= {"lethe.db", "lethe.db-wal"}
    assert set(files.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711
    engine.dispose()


def test_a_unit_of_work_commits_then_sends_its_messages(engine):
    seen = []
    with unit_of_work(engine) as session:
        session.add(user())
        session.after_commit(lambda: seen.append(names(engine)))
        assert seen == []
    assert seen == [["ada"]]


def test_a_savepoint_sends_no_message(engine):
    sent = []
    with unit_of_work(engine) as session:
        session.after_commit(lambda: sent.append(1))
        with session.begin_nested():
            session.add(user())
        assert sent == []
    assert sent == [1]


def test_an_exception_undoes_everything_and_sends_nothing(engine):
    sent = []
    with pytest.raises(RuntimeError, match="no"):
        _fail(engine, sent)
    assert (names(engine), sent) == ([], [])


def _fail(engine, sent):
    with unit_of_work(engine) as session:
        session.add(user())
        session.flush()
        session.after_commit(lambda: sent.append(1))
        raise RuntimeError("no")


def test_a_message_that_cannot_be_sent_does_not_undo_what_was_done(engine, caplog):
    sent = []

    def broken():
        raise ConnectionError("no broker")

    with unit_of_work(engine) as session:
        session.add(user())
        session.after_commit(broken)
        session.after_commit(lambda: sent.append(1))
    assert (names(engine), sent) == (["ada"], [1])
    assert "no broker" in caplog.text


def test_a_reader_sees_what_is_committed_while_a_writer_works(engine):
    with unit_of_work(engine) as session:
        session.add(user())
        session.flush()
        assert names(engine) == []
    assert names(engine) == ["ada"]


def test_a_read_only_session_keeps_nothing(engine):
    with read_only(engine) as session:
        assert session.scalar(text("SELECT 1")) == 1
        if engine.dialect.name == "sqlite":
            session.add(user())
            session.flush()
    assert names(engine) == []
    with unit_of_work(engine) as session:  # the pooled connection can write again
        session.add(user())


def test_times_come_back_aware_and_in_utc(engine):
    abroad = datetime(2026, 3, 4, 14, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    with unit_of_work(engine) as session:
        session.add(user(created_at=abroad))
    with read_only(engine) as session:
        back = session.get_one(User, "ada").created_at
    assert back == abroad
    assert back.tzinfo is UTC or back.utcoffset() == timedelta(0)


def test_a_naive_time_is_refused(engine):
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(StatementError, match="naive"), unit_of_work(engine) as session:
        session.add(user(created_at=naive))


def test_statuses_come_back_as_members(world, ada):
    _, evaluation = world.submission(ada)
    assert world.evaluation(evaluation).status is Status.QUEUED


def test_a_snapshot_sees_what_its_first_query_saw_while_others_write(engine):
    with unit_of_work(engine) as session:
        session.add(user())
    with snapshot(engine) as session:
        assert session.query(User).count() == 1
        with unit_of_work(engine) as other:
            other.add(user("grace"))
        assert session.query(User).count() == 1
    assert names(engine) == ["ada", "grace"]
    with read_only(engine) as session:  # the connection goes back to the pool as it was
        assert session.query(User).count() == 2
        with unit_of_work(engine) as other:
            other.add(user("mia"))
        on_postgres = engine.dialect.name == "postgresql"
        assert session.query(User).count() == (3 if on_postgres else 2)


def fall_asleep(sleeper, other, ending):
    """Lock a row, be silent until the server has given it to somebody else, and go on."""
    with unit_of_work(sleeper) as session:
        session.get_one(User, "sleeper", with_for_update=True).role = "admin"
        session.flush()
        with unit_of_work(other) as rival:
            rival.get_one(User, "sleeper", with_for_update=True)
        ending(session)


def test_a_process_that_falls_asleep_in_a_transaction_does_not_keep_its_locks(postgres_url, postgres_engine):
    sleeper = make_engine(postgres_url, patience=0.5)
    with unit_of_work(postgres_engine) as session:
        session.add(user("sleeper"))
    for ending in (UnitOfWork.commit, lambda session: session.execute(text("SELECT 1"))):
        with pytest.raises(DATABASE_AWAY):
            fall_asleep(sleeper, postgres_engine, ending)
    with unit_of_work(sleeper) as session:  # the pool has no dead connection left
        assert session.get_one(User, "sleeper").role == "participant"
    with unit_of_work(postgres_engine) as session:
        session.delete(session.get_one(User, "sleeper"))
    sleeper.dispose()
