"""What the clock makes happen to competitions: closes, and reveals that wait for nobody. Workers call it as they reap."""

import logging
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

    A competition that cannot be closed is logged and stops no other. Raises what the database raises when it is away.
    """
    with read_only(engine) as session:
        to_close, to_reveal = closing.due(session, now), _to_reveal(session)
    moved = sum(_close(engine, one, now, queue_due, bell) for one in to_close)
    return moved + sum(_reveal(engine, slug, now) for slug in to_reveal)


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


def _to_reveal(session: Session) -> list[str]:
    """Return the slugs of competitions whose results wait for nobody, once nothing is in the way."""
    closed = session.scalars(
        select(Competition)
        .where(Competition.closed_at.is_not(None), Competition.revealed_at.is_(None))
        .order_by(Competition.id)
    )
    return [
        one.slug
        for one in closed
        if registry.config_of(one).reveal == "automatic" and reveal.in_the_way(session, one) is None
    ]


def _reveal(engine: Engine, slug: str, now: datetime) -> bool:
    try:
        with unit_of_work(engine) as session:
            reveal.reveal(session, slug, ACTOR, now)
    except DATABASE_AWAY:
        raise
    except Exception:
        log.exception("the results of %s cannot be revealed", slug)
        return False
    log.info("the results of %s are revealed", slug)
    return True
