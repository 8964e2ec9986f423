"""Engine and unit_of_work(): the only place that commits; and migrate(), which brings a database to the head."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

LOG = logging.getLogger(__name__)
MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"
_MIGRATION_LOCK = (
    0x6C65_7468_65  # "lethe": one advisory lock, so that processes starting together migrate in turn
)

DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeoutError)
"""What is raised while the database is away, restarts, is locked for too long, or has no connection to spare."""
THREADS = 40
"""Threads that serve requests at once (anyio's default): each holds one connection at most."""
_CONNECT_SECONDS = 5
_SILENCE: dict[str, Any] = {
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""For libpq: after half a minute a PostgreSQL whose machine has vanished counts as away."""


def make_engine(url: str, *, patience: float = 30.0, pooled: bool = True) -> Engine:
    """Return an engine whose SQLite transactions take the write lock at BEGIN, as Postgres row locks would.

    `patience`, in seconds, is how long to wait for a connection, for SQLite's locks, and for a PostgreSQL transaction
    whose process is silent: the server ends it, for a process that was stopped must not keep its locks from others.
    Not pooled, it opens a connection for each use.
    """
    options: dict[str, Any] = {"poolclass": NullPool}
    if pooled:  # the overflow is for connections whose request has ended but which are not given back yet
        options = {
            "pool_pre_ping": True,
            "pool_size": THREADS,
            "max_overflow": THREADS // 2,
            "pool_timeout": patience,
        }
    is_sqlite = make_url(url).get_backend_name() == "sqlite"
    arguments: dict[str, Any] = {"timeout": patience} if is_sqlite else _SILENCE
    # parameters are what people sent, and digests of secrets: no error may carry them into a log
    engine = create_engine(url, connect_args=arguments, hide_parameters=True, **options)
    if is_sqlite:
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", partial(_bound_idleness, patience))
        event.listen(engine, "handle_error", _ended_by_server)
    return engine


def _bound_idleness(seconds: float, connection: Any, _record: Any) -> None:
    connection.autocommit = True
    connection.execute(f"SET idle_in_transaction_session_timeout = {int(1000 * seconds)}")
    connection.autocommit = False


def _ended_by_server(context: ExceptionContext) -> None:
    """Say of a transaction that the server ended for its silence what is said of every lost connection."""
    if type(context.original_exception).__name__ == "IdleInTransactionSessionTimeout":
        raise OperationalError(context.statement, None, context.original_exception)


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not open transactions by itself
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    read_only = connection.get_execution_options().get("lethe_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


class UnitOfWork(Session):
    """A Session with an outbox: messages queued in it are sent after its commit, never before."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outbox: list[Callable[[], None]] = []

    def after_commit(self, send: Callable[[], None]) -> None:
        """Call `send` once this unit of work has been committed; what it raises is logged, for the work is done."""
        self.outbox.append(send)


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[UnitOfWork]:
    """One transaction: commit at the end, roll back on any exception, then send the outbox."""
    with UnitOfWork(engine, expire_on_commit=False) as session:
        with session.begin():
            yield session
        for send in session.outbox:
            try:
                send()
            except Exception:
                LOG.exception("a message could not be sent after its commit")


@contextmanager
def read_only(engine: Engine) -> Iterator[Session]:
    """One transaction that takes no write lock and is rolled back at the end.

    The connection is taken at the first query, as a unit of work's is: who waits for a thread holds none.
    """
    options = {"lethe_read_only": True, "postgresql_readonly": True}
    with Session(engine.execution_options(**options)) as session:
        yield session


@contextmanager
def snapshot(engine: Engine) -> Iterator[Session]:
    """As read_only, but all queries see the database as the first one found it, while others go on writing."""
    options: dict[str, Any] = {"lethe_read_only": True}  # SQLite's readers always see a snapshot
    if engine.dialect.name == "postgresql":
        options = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
    with Session(engine.execution_options(**options)) as session:
        yield session


def revision(session: Session) -> str:
    """Return the revision of a database's tables; empty if it has none."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - see _upgrade

    return MigrationContext.configure(session.connection()).get_current_revision() or ""


def migrate(engine_or_url: Engine | str) -> None:
    """Bring the database to the newest revision, in one transaction; make the folder of an SQLite file."""
    if isinstance(engine_or_url, Engine):
        _upgrade(engine_or_url)
        return
    engine = make_engine(engine_or_url)
    try:
        _upgrade(engine)
    finally:
        engine.dispose()


def _upgrade(engine: Engine) -> None:
    from alembic import command  # noqa: PLC0415 - costs 100 ms that no other command needs

    file = _sqlite_file(engine)
    if file is not None:
        file.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        file.touch(mode=0o600)  # password hashes are in it; SQLite gives its other files the same mode
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        command.upgrade(alembic_config(connection), "head")


def is_migrated(engine: Engine) -> bool:
    """Tell whether the database is at the newest revision. Makes no SQLite file."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - see _upgrade

    file = _sqlite_file(engine)
    if file is not None and not file.exists():
        return False
    with read_only(engine) as session:
        connection = session.connection()
        found = MigrationContext.configure(connection).get_current_heads()
        return set(found) == _newest()


@cache
def _newest() -> set[str]:
    from alembic.config import Config  # noqa: PLC0415 - see _upgrade
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return set(ScriptDirectory.from_config(_located(Config())).get_heads())


def _sqlite_file(engine: Engine) -> Path | None:
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return None
    return Path(name)


def alembic_config(connection: Connection) -> Any:
    """Return Alembic's configuration for work on this connection."""
    from alembic.config import Config  # noqa: PLC0415 - see _upgrade

    config = _located(Config())
    config.attributes["connection"] = connection
    return config


def _located(config: Any) -> Any:
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
