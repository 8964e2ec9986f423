"""What the clock makes happen to competitions: closes, and reveals that wait for nobody. Workers call it as they reap."""

import logging
import time
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app import closing, final_evaluations, registry, reveal
from app.db import DATABASE_AWAY, read_only, unit_of_work
from app.models import Competition
from app.queue import Doorbell

ACTOR = "close"
PAUSE_SECONDS = 0.1
"""Between transactions that come one upon another: an SQLite database's other writers look for their turn that often."""
MOST_TRANSACTIONS = 10
"""At a time: whoever does this has a heartbeat to send too, and goes on when they reap again."""
log = logging.getLogger("lethe.worker")


def advance(engine: Engine, now: datetime, queue_due: timedelta, bell: Doorbell) -> int:
    """Do whatever is due; return how many competitions that closed or revealed.

    Each close and each reveal is a transaction; the evaluations of final entries are queued a few in each.

    A competition that cannot be closed or revealed is logged and stops no other. Raises what the database raises when it is away.
    """
    with read_only(engine) as session:
        to_close, closed = closing.due(session, now), _not_revealed(session)
    moved = sum(_close(engine, one, now, queue_due, bell) for one in to_close)
    for competition_id in [*to_close, *closed]:
        _evaluate(engine, competition_id, now, queue_due, bell)
    return moved + sum(_reveal(engine, slug, now) for slug in closed.values())


def _evaluate(
    engine: Engine, competition_id: str, now: datetime, queue_due: timedelta, bell: Doorbell
) -> None:
    """Queue the evaluations of final entries that wait for theirs, as many as are made at a time."""
    try:
        for _ in range(MOST_TRANSACTIONS):
            if not _waits(engine, competition_id):
                return
            with unit_of_work(engine) as session:
                queued = final_evaluations.queue_some(session, competition_id, now, queue_due)
                if queued is None:
                    return
                session.after_commit(partial(bell.ring, queued.device))
            if not queued.more:
                return
            time.sleep(PAUSE_SECONDS)
    except DATABASE_AWAY:
        raise
    except Exception:
        log.exception("final entries of competition %s cannot be evaluated", competition_id)


def _waits(engine: Engine, competition_id: str) -> bool:
    with read_only(engine) as session:
        competition = session.get_one(Competition, competition_id)
        return competition.closed_at is not None and final_evaluations.waiting(session, competition) > 0


def _close(engine: Engine, competition_id: str, now: datetime, queue_due: timedelta, bell: Doorbell) -> bool:
    try:
        with unit_of_work(engine) as session:
            closed = closing.close(session, competition_id, now, queue_due)
            if closed is not None and closed.evaluated:
                session.after_commit(partial(bell.ring, closed.device))
    except DATABASE_AWAY:
        raise
    except Exception:
        log.exception("competition %s cannot be closed", competition_id)
        return False
    if closed is not None:
        log.info("%s is closed with %d final entries", closed.slug, closed.entries)
    return closed is not None


def _not_revealed(session: Session) -> dict[str, str]:
    """Return the slugs, by id, of competitions that took their final entries and have not shown their results."""
    found = session.execute(
        select(Competition.id, Competition.slug)
        .where(Competition.closed_at.is_not(None), Competition.revealed_at.is_(None))
        .order_by(Competition.id)
    )
    return dict(found.all())


def _reveals_itself(engine: Engine, slug: str) -> bool:
    """Tell whether a competition's results wait for nobody, and nothing is in the way."""
    with read_only(engine) as session:
        competition = registry.get_competition(session, slug)
        waits_for_nobody = registry.config_of(competition).reveal == "automatic"
        return waits_for_nobody and reveal.in_the_way(session, competition) is None


def _reveal(engine: Engine, slug: str, now: datetime) -> bool:
    try:
        if not _reveals_itself(engine, slug):
            return False
        with unit_of_work(engine) as session:
            reveal.reveal(session, slug, ACTOR, now)
    except DATABASE_AWAY:
        raise
    except Exception:
        log.exception("the results of %s cannot be revealed", slug)
        return False
    log.info("the results of %s are revealed", slug)
    return True
