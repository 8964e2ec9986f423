"""What it costs to claim a run when the queue is long: python benchmarks/claims.py [--times 200].

Each claim is what a worker does: find the first run's reference, its calibration, and take the run, in one transaction.
Milliseconds at 10, 1,000 and 100,000 queued runs, on SQLite and on a PostgreSQL that is started for this (with fsync off).
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.db import make_engine, migrate
from app.models import Base
from tests.app.conftest import World
from tests.conftest import PostgresCluster
from tests.queue import fill

SIZES = (10, 1_000, 100_000)


@contextmanager
def postgres() -> Iterator[str]:
    """Start a PostgreSQL and yield its URL."""
    cluster = PostgresCluster()
    try:
        cluster.start()
        yield cluster.url
    finally:
        cluster.stop()


@contextmanager
def sqlite() -> Iterator[str]:
    """Yield the URL of a database in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/lethe.db"


def emptied(engine: Engine) -> None:
    """Delete every row."""
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(text(f"DELETE FROM {table.name}"))


def claims(engine: Engine, queued: int, times: int) -> list[float]:
    """Return milliseconds of each claim among so many queued runs."""
    emptied(engine)
    world = World(engine)
    world.competition()
    world.submission(world.user("ada"), runs=times + 1)
    fill(engine, queued)
    world.claim()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        assert len(world.claim()) == 1
        found.append(1000 * (time.perf_counter() - began))
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    asked = parser.parse_args()
    table = Table("database", "queued runs", "median ms", "99 % ms", title="Claiming one run")
    for name, start in (("SQLite", sqlite), ("PostgreSQL", postgres)):
        with start() as url:
            migrate(url)
            engine = make_engine(url)
            for queued in SIZES:
                found = claims(engine, queued, asked.times)
                high = statistics.quantiles(found, n=100)[98]
                table.add_row(name, f"{queued:,}", f"{statistics.median(found):.2f}", f"{high:.2f}")
            engine.dispose()
    Console().print(table)


if __name__ == "__main__":
    main()
