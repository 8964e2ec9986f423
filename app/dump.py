"""All rows of a database as lines of JSON, the same for every kind of database, and back.

A table is a line {"table": name, "columns": [...]} and then a line [...] for each row. Tables come in an order in
which each finds what it points at.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import IO, Any

from sqlalchemy import Column, Enum, Table, func, insert, select
from sqlalchemy.orm import Session

from app.models import Base, UTCDateTime

_BATCH = 500


def write(session: Session, file: IO[str]) -> int:
    """Write all rows and return how many. They fit together if the session sees a snapshot."""
    count = 0
    for table in Base.metadata.sorted_tables:
        head = {"table": table.name, "columns": [column.name for column in table.columns]}
        file.write(json.dumps(head) + "\n")
        query = select(table).order_by(*table.primary_key).execution_options(yield_per=_BATCH)
        for row in session.execute(query):
            file.write(json.dumps(list(row), default=datetime.isoformat) + "\n")
            count += 1
    return count


def read(session: Session, lines: Iterable[str]) -> int:
    """Insert all rows into a database of the same revision that has none, and return how many."""
    count = 0
    inserting = None
    for line in lines:
        found = json.loads(line)
        if isinstance(found, list):
            assert inserting is not None
            inserting.add(found)
            count += 1
        else:
            if inserting is not None:
                inserting.end()
            inserting = _Inserting(session, Base.metadata.tables[found["table"]], found["columns"])
    if inserting is not None:
        inserting.end()
    return count


def values(lines: Iterable[str], table: str, column: str) -> Iterator[Any]:
    """Yield what a column holds in the rows of one table, without a database."""
    index = None
    for line in lines:
        found = json.loads(line)
        if not isinstance(found, list):
            index = found["columns"].index(column) if found["table"] == table else None
        elif index is not None:
            yield found[index]


def has_rows(session: Session) -> bool:
    """Tell whether any table has a row."""
    return any(session.execute(select(table).limit(1)).first() for table in Base.metadata.sorted_tables)


class _Inserting:
    """Rows on their way into one table, a batch at a time."""

    def __init__(self, session: Session, table: Table, columns: list[str]) -> None:
        self._session = session
        self._table = table
        self._readers = [(name, _reader(table.columns[name])) for name in columns]
        self._batch: list[dict[str, Any]] = []

    def add(self, row: list[Any]) -> None:
        """Take one row."""
        pairs = zip(self._readers, row, strict=True)
        self._batch.append({name: None if value is None else read(value) for (name, read), value in pairs})
        if len(self._batch) == _BATCH:
            self._send()

    def end(self) -> None:
        """Insert what is left, and let the database number new rows from the highest on."""
        self._send()
        column = self._table.autoincrement_column
        if column is not None and self._session.get_bind().dialect.name == "postgresql":
            sequence = func.pg_get_serial_sequence(self._table.name, column.name)
            self._session.execute(select(func.setval(sequence, func.max(column))))

    def _send(self) -> None:
        if self._batch:
            self._session.execute(insert(self._table), self._batch)
            self._batch = []


def _reader(column: Column[Any]) -> Callable[[Any], Any]:
    """Return what makes of JSON what the column takes."""
    if isinstance(column.type, UTCDateTime):
        return datetime.fromisoformat
    if isinstance(column.type, Enum):
        assert column.type.enum_class is not None
        return column.type.enum_class
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value
