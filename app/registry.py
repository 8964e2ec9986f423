"""Competitions and their references, as last registered."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import events
from app.competitions import SPLITS, CompetitionConfig
from app.errors import BadRequest, Conflict, NotFound, NotPrepared
from app.models import Competition, Reference

_ORGANISER = "organiser"


def register(
    session: Session, config: CompetitionConfig, pages: dict[str, str], now: datetime
) -> Competition:
    """Insert or update a competition by its slug."""
    found = session.scalar(
        select(Competition).where(Competition.slug == config.slug).with_for_update(key_share=True)
    )
    competition = found or Competition(id=uuid4().hex, slug=config.slug)
    if competition.closed_at is not None and competition.closes_at != config.closes_at:
        raise Conflict(
            f"{config.slug} took its final entries at {competition.closed_at:%Y-%m-%d %H:%M} UTC: "
            "its closes_at can no longer be changed.",
            advice=f"Set closes_at to {competition.closes_at.isoformat()} again.",
        )
    competition.title = config.title
    competition.config = config.model_dump(mode="json")
    competition.pages = dict(pages)
    competition.opens_at = config.opens_at
    competition.closes_at = config.closes_at
    competition.updated_at = now
    session.add(competition)
    session.flush()
    events.write(session, "competition.registered", _ORGANISER, now, detail=config.slug)
    return competition


def add_reference(  # noqa: PLR0917 - a row's columns, in their order
    session: Session,
    competition: Competition,
    split: str,
    digest: str,
    n_models: int,
    retrain_seconds: float,
    facts: dict[str, Any],
    now: datetime,
    *,
    smoke: bool = False,
) -> Reference:
    """Make a reference the current one of its split: the next version, or the row there is of the same digest.

    What was graded under another stays tied to it. `smoke` says that it holds public data for smoke runs. The references of both splits belong in one transaction.
    """
    if split not in SPLITS:
        raise BadRequest(f"A split is one of {', '.join(SPLITS)}.")
    session.execute(
        select(Competition.id).where(Competition.id == competition.id).with_for_update(key_share=True)
    )
    known = session.scalar(select(Reference).where(Reference.digest == digest))
    if known is not None:
        if (known.competition_id, known.split) != (competition.id, split):
            raise Conflict(f"The reference {digest} belongs to another competition or split.")
        return _make_current(session, competition, known, now)
    of_split = select(func.max(Reference.version)).where(
        Reference.competition_id == competition.id, Reference.split == split
    )
    reference = Reference(
        id=uuid4().hex,
        competition_id=competition.id,
        split=split,
        version=(session.scalar(of_split) or 0) + 1,
        current=False,
        digest=digest,
        n_models=n_models,
        retrain_seconds=retrain_seconds,
        facts=facts,
        smoke=smoke,
        created_at=now,
    )
    session.add(reference)
    session.flush()
    detail = f"{competition.slug} {split} version {reference.version}"
    events.write(session, "reference.added", _ORGANISER, now, detail=detail)
    return _make_current(session, competition, reference, now)


def _make_current(
    session: Session, competition: Competition, reference: Reference, now: datetime
) -> Reference:
    """Move the mark within the locked competition."""
    if reference.current:
        return reference
    marked = update(Reference).where(
        Reference.competition_id == competition.id, Reference.split == reference.split, Reference.current
    )
    session.execute(marked.values(current=False))
    reference.current = True
    session.flush()
    detail = f"{competition.slug} {reference.split} version {reference.version}"
    events.write(session, "reference.current", _ORGANISER, now, detail=detail)
    return reference


def unknown(slug: str) -> NotFound:
    """Return the error that says that there is no such competition."""
    return NotFound(
        f"There is no competition {slug[:64]!r}.",
        advice="`lethe competitions`, or the first page, lists those that there are.",
    )


def get_competition(session: Session, slug: str) -> Competition:
    """Return a competition. Raises NotFound."""
    competition = session.scalar(select(Competition).where(Competition.slug == slug))
    if competition is None:
        raise unknown(slug)
    return competition


def hold(session: Session, slug: str) -> Competition:
    """Return a competition as it is now; it is neither closed nor changed until this transaction ends. Raises NotFound.

    Others may hold it too. In the order of locks it comes before people.
    """
    held = select(Competition.id).where(Competition.slug == slug).with_for_update(read=True)
    session.execute(held)
    competition = get_competition(session, slug)
    session.refresh(competition)
    return competition


def current_reference(session: Session, competition: Competition, split: str) -> Reference:
    """Return the reference that new evaluations of a split are graded against. Raises NotPrepared."""
    current = session.scalar(
        select(Reference).where(
            Reference.competition_id == competition.id, Reference.split == split, Reference.current
        )
    )
    if current is None:
        raise NotPrepared(
            f"The {split} split of {competition.slug} has no reference yet.",
            advice="An organiser prepares it with `lethe competition prepare`.",
        )
    return current


def config_of(competition: Competition) -> CompetitionConfig:
    """Return the configuration as registered."""
    return CompetitionConfig.model_validate(competition.config)
