"""Competitions about to close: who has scores, what was chosen, what the close has made of it."""

from datetime import timedelta

from sqlalchemy import select

from app import finals, registry, timetable
from app.db import read_only, unit_of_work
from app.models import Evaluation, FinalEntry
from app.phases import GRACE
from app.queue import Silent
from tests.app.conftest import DAY, NOW

MINUTE = timedelta(minutes=1)
CLOSE = NOW + timedelta(days=30)
AFTER = CLOSE + GRACE


def advance(world, at=AFTER, bell=None):
    return timetable.advance(world.engine, at, DAY, bell or Silent())


def scored(world, person, *values, at=NOW):
    found = []
    for n, value in enumerate(values):
        moment = at + n * MINUTE
        submission, evaluation = world.submission(person, at=moment)
        world.score(evaluation, value, moment)
        found.append(submission)
    return found


def choose(world, person, *ids):
    with unit_of_work(world.engine) as session:
        finals.choose(session, "digits", person, ids, NOW + 10 * MINUTE)


def entries(world):
    with read_only(world.engine) as session:
        return {one.submission_id: (one.state, one.automatic) for one in session.scalars(select(FinalEntry))}


def private(world):
    with read_only(world.engine) as session:
        rows = session.scalars(select(Evaluation).where(Evaluation.split == "private"))
        return sorted(one.submission_id for one in rows)


def closed_at(world):
    with read_only(world.engine) as session:
        return registry.get_competition(session, "digits").closed_at
