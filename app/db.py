"""Engine and unit_of_work(): the only place that commits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session


def make_engine(url: str) -> Engine:
    """Return an engine whose SQLite transactions take the write lock at BEGIN, as Postgres row locks would."""
    engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not open transactions by itself
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
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
        """Call `send` once this unit of work has been committed."""
        self.outbox.append(send)


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[UnitOfWork]:
    """One transaction: commit at the end, roll back on any exception, then send the outbox."""
    with UnitOfWork(engine, expire_on_commit=False) as session:
        with session.begin():
            yield session
        for send in session.outbox:
            send()


@contextmanager
def read_only(engine: Engine) -> Iterator[Session]:
    """One transaction that takes no write lock and is rolled back at the end."""
    with engine.connect().execution_options(lethe_read_only=True) as connection, Session(connection) as session:
        yield session
