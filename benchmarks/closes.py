"""How long the close of a competition holds the database, and what others wait meanwhile: python benchmarks/closes.py.

So many entrants with one scored submission each are taken, and an evaluation of `--models` runs is queued for each. Two
other processes go on: one claims runs of another competition, one reads as a poll does. Printed are the seconds of the
whole, those of its longest transaction, and the longest claim and read. On SQLite, and on a PostgreSQL that is started
for this (with fsync off).
"""

import argparse
import sys
import time
from datetime import timedelta
from multiprocessing import Event, Process, Queue
from multiprocessing.synchronize import Event as Stop
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, event, insert, select

sys.path.insert(0, str(Path(__file__).parents[1]))

from app import timetable
from app.db import make_engine, migrate, read_only, unit_of_work
from app.models import Competition, Evaluation, Reference, Score, Submission, User
from app.phases import GRACE
from app.queue import Silent
from app.status import Status, Verdict
from benchmarks.claims import postgres, sqlite
from tests.app.conftest import DAY, NOW, World
from tests.queue import fill

AFTER = NOW + timedelta(days=30) + GRACE
Row = dict[str, object]


def filled(engine: Engine, entrants: int, models: int) -> None:
    """Add a competition with so many entrants, each with a scored submission, and another with a long queue."""
    world = World(engine)
    world.competition("other")
    world.submission(world.user("zed"), "other", runs=100)
    fill(engine, 10_000)
    world.competition(n_models=models)
    with unit_of_work(engine) as session:
        competition = session.scalars(select(Competition.id).where(Competition.slug == "digits")).one()
        reference = session.scalars(
            select(Reference.id).where(Reference.competition_id == competition, Reference.split == "public")
        ).one()
        names = [f"e{number:05d}".ljust(32, "0") for number in range(entrants)]
        for table, rows in (
            (User, map(_user, names)),
            (Submission, (_submission(name, competition) for name in names)),
            (Evaluation, (_evaluation(name, reference, models) for name in names)),
            (Score, map(_score, names)),
        ):
            session.execute(insert(table), list(rows))


def _user(name: str) -> Row:
    return {"id": name, "name": name[:6], "password_hash": "x", "role": "participant", "created_at": NOW}


def _submission(name: str, competition: str) -> Row:
    return {
        "id": name,
        "user_id": name,
        "competition_id": competition,
        "bundle_digest": "b" * 64,
        "bundle_bytes": 1,
        "note": "",
        "created_at": NOW,
    }


def _evaluation(name: str, reference: str, models: int) -> Row:
    return {
        "id": name,
        "submission_id": name,
        "reference_id": reference,
        "split": "public",
        "generation": 1,
        "status": Status.DONE,
        "verdict": Verdict.SCORED,
        "published": True,
        "cancel_requested": False,
        "n_runs": models,
        "cutoff_fraction": 0.2,
        "cutoff_seconds": 2.0,
        "fence": 0,
        "losses": 0,
        "due_at": NOW,
        "created_at": NOW,
    }


def _score(name: str) -> Row:
    return {
        "id": name,
        "evaluation_id": name,
        "grader_version": "1",
        "reference_digest": "r" * 64,
        "score": 0.5,
        "forgetting_quality": 0.5,
        "retain_ratio": 1.0,
        "test_ratio": 1.0,
        "report": {},
        "current": True,
        "flags": [],
        "replicates": {},
        "created_at": NOW,
    }


def watch(url: str, act: str, waits: "Queue[float]", stop: Stop) -> None:
    """Do something again and again, and tell the longest that it took."""
    engine = make_engine(url)
    world, longest = World(engine), 0.0
    while not stop.is_set():
        began = time.perf_counter()
        if act == "claim":
            world.claim()
        else:
            with read_only(engine) as session:
                session.scalars(select(Evaluation.status).limit(1)).all()
        longest = max(longest, time.perf_counter() - began)
        time.sleep(0.01)
    waits.put(longest)


def longest_transaction(engine: Engine) -> list[float]:
    """Return a list that will hold the seconds of each transaction from now on."""
    began, found = [0.0], list[float]()
    event.listen(engine, "begin", lambda _: began.__setitem__(0, time.perf_counter()))
    event.listen(engine, "commit", lambda _: found.append(time.perf_counter() - began[0]))
    return found


def made_of(engine: Engine) -> int:
    """Count the evaluations on the private split."""
    with read_only(engine) as session:
        return session.query(Evaluation).filter_by(split="private").count()


def measured(url: str, entrants: int, models: int) -> list[float]:
    """Return the seconds of the close and of its longest transaction, and the longest claim and read meanwhile."""
    migrate(url)
    engine = make_engine(url)
    filled(engine, entrants, models)
    stop, waits = Event(), {act: Queue() for act in ("claim", "read")}
    watchers = [Process(target=watch, args=(url, act, queue, stop)) for act, queue in waits.items()]
    for one in watchers:
        one.start()
    time.sleep(2)
    transactions = longest_transaction(engine)
    began = time.perf_counter()
    moved = timetable.advance(engine, AFTER, DAY, Silent())
    for _ in range(entrants):
        if made_of(engine) == entrants:
            break
        timetable.advance(engine, AFTER, DAY, Silent())  # as workers do when they reap again
    seconds = time.perf_counter() - began
    assert moved == 1
    stop.set()
    found = {act: queue.get(timeout=120) for act, queue in waits.items()}
    for one in watchers:
        one.join()
    assert made_of(engine) == entrants
    engine.dispose()
    return [seconds, max(transactions), found["claim"], found["read"]]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entrants", type=int, default=1000)
    parser.add_argument("--models", type=int, default=32)
    asked = parser.parse_args()
    table = Table(
        "database",
        "close s",
        "longest transaction s",
        "longest claim s",
        "longest read s",
        title=f"Closing with {asked.entrants:,} entrants, {asked.models} runs each",
    )
    for name, start in (("SQLite", sqlite), ("PostgreSQL", postgres)):
        with start() as url:
            table.add_row(name, *(f"{one:.2f}" for one in measured(url, asked.entrants, asked.models)))
    Console().print(table)


if __name__ == "__main__":
    main()
