"""What pages and API show of competitions and their leaderboards."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from app import disqualification, quota, registry, submissions
from app.competitions import Publish
from app.disqualification import of_entrant
from app.entrants import whose
from app.errors import NotPrepared
from app.models import Competition, Disqualification, QuotaEntry, Reference, Submission, User
from app.phases import ORDER, next_at, phase_of, what_next
from app.schemas.competitions import (
    AdjustmentOut,
    BundleLimitsOut,
    CompetitionOut,
    CompetitionSummary,
    FactsOut,
    PageOut,
    QuotaOut,
)
from app.schemas.scores import DecimalsOut, RetrainingOut
from app.schemas.submissions import DisqualifiedOut, Links


def listing(session: Session, now: datetime) -> list[CompetitionSummary]:
    """Return all competitions, the open ones first."""
    rows = session.execute(
        select(Competition, func.count(func.distinct(whose)), func.count(Submission.id))
        .options(defer(Competition.pages))
        .outerjoin(Submission, Submission.competition_id == Competition.id)
        .group_by(Competition.id)
        .order_by(Competition.closes_at)
    )
    found = [_summary(competition, entrants, entries, now) for competition, entrants, entries in rows]
    return sorted(found, key=lambda one: ORDER.index(one.phase))


def _summary(
    competition: Competition, participants: int, submissions: int, now: datetime
) -> CompetitionSummary:
    return CompetitionSummary(
        slug=competition.slug,
        title=competition.title,
        summary=registry.config_of(competition).summary,
        phase=phase_of(competition.times, now),
        opens_at=competition.opens_at,
        closes_at=competition.closes_at,
        revealed_at=competition.revealed_at,
        participants=participants,
        submissions=submissions,
        links=_links(competition.slug),
    )


def _links(slug: str) -> Links:
    return Links(self=f"/api/v1/competitions/{slug}", html=f"/competitions/{slug}")


def reference_or_none(session: Session, competition: Competition, split: str = "public") -> Reference | None:
    """Return the current reference of a split, or None while the competition is not prepared."""
    try:
        return registry.current_reference(session, competition, split)
    except NotPrepared:
        return None


def retraining_of(reference: Reference | None) -> RetrainingOut | None:
    """Return the row of retraining from scratch, if the reference's facts hold it."""
    if reference is None:
        return None
    facts: dict[str, Any] = reference.facts.get("retraining", {})
    if facts.get("score") is None:  # it could not be scored
        return None
    publish = registry.config_of(reference.competition).publish
    return RetrainingOut.rounded(publish, **facts | {"median_seconds": reference.retrain_seconds})


def decimals_of(publish: Publish) -> DecimalsOut:
    """Return how finely a competition publishes."""
    return DecimalsOut(score=publish.score_decimals, seconds=publish.seconds_decimals)


def describe(session: Session, slug: str, viewer: User | None, now: datetime) -> CompetitionOut:
    """Return a competition with the viewer's quota. Raises NotFound."""
    competition = registry.get_competition(session, slug)
    config = registry.config_of(competition)
    reference = reference_or_none(session, competition)
    retrain_seconds = None if reference is None else reference.retrain_seconds
    return CompetitionOut.rounded(
        config.publish,
        slug=competition.slug,
        title=competition.title,
        summary=config.summary,
        phase=phase_of(competition.times, now),
        opens_at=competition.opens_at,
        closes_at=competition.closes_at,
        revealed_at=competition.revealed_at,
        next_at=next_at(competition.times, now),
        what_next=what_next(
            phase_of(competition.times, now), config.final_entries, automatic=config.reveal == "automatic"
        ),
        final_entries=config.final_entries,
        entry_function=config.entry_function,
        batches=config.batches,
        limits=BundleLimitsOut.model_validate(config.bundle.model_dump()),
        ranked_by=config.evaluation.ranking,
        runs=config.evaluation.models if reference is None else reference.n_models,
        cutoff_fraction=config.evaluation.cutoff_fraction,
        cutoff_seconds=None
        if retrain_seconds is None
        else config.evaluation.cutoff_fraction * retrain_seconds,
        retrain_seconds=retrain_seconds,
        decimals=decimals_of(config.publish),
        smoke_run=reference is not None and reference.smoke,
        memory_mb=config.sandbox.memory_mb,
        threads=config.sandbox.threads,
        reference_version=None if reference is None else reference.version,
        reference_digest=None if reference is None else reference.digest,
        retraining=retraining_of(reference),
        pages=_pages(competition.pages),
        facts=_facts(reference, config.publish),
        quota=None if viewer is None else quota_out(session, viewer, competition, now),
        disqualified=None
        if viewer is None
        else disqualified_out(of_entrant(session, competition.id, viewer.id)),
        links=_links(slug),
    )


def _pages(written: dict[str, str]) -> list[PageOut]:
    first = [name for name in ("overview", "rules", "data") if name in written]
    names = [*first, *sorted(set(written) - set(first))]
    return [PageOut(name=name, title=_title(name), markdown=written[name]) for name in names]


def _title(name: str) -> str:
    return name.capitalize().replace("_", " ").replace("-", " ")


def _facts(reference: Reference | None, publish: Publish) -> FactsOut | None:
    found = {} if reference is None else reference.facts
    if not {"original", "retrained"} <= set(found):
        return None
    return FactsOut.rounded(publish, original=found["original"], retrained=found["retrained"])


def disqualified_out(found: Disqualification | None) -> DisqualifiedOut | None:
    """Return why something does not count, as those see it whom it concerns."""
    if found is None:
        return None
    return DisqualifiedOut(reason=found.reason, at=found.created_at, everything=found.submission_id is None)


def quota_out(session: Session, user: User, competition: Competition, now: datetime) -> QuotaOut:
    """Return somebody's quota of today, with what an organiser changed of it."""
    found = quota.remaining(session, user.id, competition, registry.config_of(competition), now)
    changes = quota.adjustments(session, user.id, competition, now)
    return QuotaOut(
        limit=found.limit,
        used=found.used,
        remaining=found.left,
        resets_at=found.resets_at,
        adjustments=[adjustment_out(one) for one in changes],
    )


def adjustment_out(entry: QuotaEntry) -> AdjustmentOut:
    """Return what an organiser gave or took."""
    assert entry.reason is not None, "an adjustment has its reason"
    day = None if entry.day is None else date.fromisoformat(entry.day)
    return AdjustmentOut(amount=entry.amount, day=day, reason=entry.reason, at=entry.created_at)


def knock(session: Session, slug: str, viewer: User, key: str | None, now: datetime) -> int:
    """Return the largest upload that is taken, in bytes, before any of it is read.

    Raises NotFound, CompetitionClosed, NotPrepared, Disqualified, QuotaExhausted. The replay of an upload that was accepted is
    let in whatever the time and the quota: it will be answered with what it made.
    """
    if key is not None and _is_known(session, viewer, key):
        return registry.config_of(registry.get_competition(session, slug)).bundle.max_bytes
    competition, config, _ = submissions.open_competition(session, slug, now)
    disqualification.check(session, competition, viewer.id)
    quota.check(quota.remaining(session, viewer.id, competition, config, now), now)
    return config.bundle.max_bytes


def _is_known(session: Session, viewer: User, key: str) -> bool:
    made = select(Submission.id).where(Submission.user_id == viewer.id, Submission.idempotency_key == key)
    return session.scalar(made) is not None
