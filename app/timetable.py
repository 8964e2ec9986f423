"""What the clock makes happen to competitions: closes, and reveals that wait for nobody. Workers call it as they reap."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app import closing, registry, reveal
from app.db import DATABASE_AWAY, read_only, unit_of_work
from app.models import Competition
from app.queue import Doorbell

ACTOR = "close"
log = logging.getLogger("lethe.worker")


def advance(engine: Engine, now: datetime, queue_due: timedelta, bell: Doorbell) -> int:
    """Do whatever is due, a transaction for each competition; return how many competitions that moved.

    A competition that cannot be closed or revealed is logged and stops no other. Raises what the database raises when it is away.
    """
    with read_only(engine) as session:
        to_close, closed = closing.due(session, now), _not_revealed(session)
    moved = sum(_close(engine, one, now, queue_due, bell) for one in to_close)
    return moved + sum(_reveal(engine, slug, now) for slug in closed)


def _close(engine: Engine, competition_id: str, now: datetime, queue_due: timedelta, bell: Doorbell) -> bool:
    try:
        with unit_of_work(engine) as session:
            closed = closing.close(session, competition_id, now, queue_due)
            if closed is not None and closed.entries:
                session.after_commit(lambda: bell.ring(closed.device))
    except DATABASE_AWAY:
        raise
    except Exception:
        log.exception("competition %s cannot be closed", competition_id)
        return False
    if closed is not None:
        log.info("%s is closed with %d final entries", closed.slug, closed.entries)
    return closed is not None


def _not_revealed(session: Session) -> Sequence[str]:
    """Return the slugs of competitions that took their final entries and have not shown their results."""
    return session.scalars(
        select(Competition.slug)
        .where(Competition.closed_at.is_not(None), Competition.revealed_at.is_(None))
        .order_by(Competition.id)
    ).all()


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
