"""What pages and API show of a competition's public data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app import registry
from app.competitions import CompetitionConfig
from app.errors import NotFound, NotPrepared
from app.models import Reference
from app.public_data import PublicFile
from app.schemas.data import ArrayOut, DataFileOut, DataRulesOut, FullSizeOut, PublicDataOut


@dataclass(frozen=True)
class Given:
    """The reference whose public data are given out now, read at once: the files come from the storage afterwards."""

    config: CompetitionConfig
    version: int
    digest: str
    retrain_seconds: float
    full_size: FullSizeOut | None


def given(session: Session, slug: str, now: datetime) -> Given:
    """Return what is given out. Raises NotFound where there is nothing, or nothing yet, and NotPrepared."""
    competition = registry.get_competition(session, slug)
    if now < competition.opens_at:
        raise NotFound(
            "The public data are given out when the competition opens.",
            advice=f"It opens at {competition.opens_at:%Y-%m-%d %H:%M} UTC.",
        )
    reference = registry.current_reference(session, competition, "public")
    if not reference.smoke:
        raise NotFound("This competition gives no public data.", advice="Its pages say what there is.")
    config = registry.config_of(competition)
    return Given(
        config,
        reference.version,
        reference.digest,
        config.publish.seconds(reference.retrain_seconds),
        _full_size(reference),
    )


def given_or_none(session: Session, slug: str, now: datetime) -> Given | None:
    """Return what is given out, or None where that is nothing. Raises NotFound for no such competition."""
    registry.get_competition(session, slug)
    try:
        return given(session, slug, now)
    except (NotFound, NotPrepared):
        return None


def _full_size(reference: Reference) -> FullSizeOut | None:
    facts: dict[str, Any] = reference.facts
    if "n_retain" not in facts or "n_forget" not in facts:
        return None
    return FullSizeOut(retain=facts["n_retain"], forget=facts["n_forget"])


def described(found: Given, files: Sequence[PublicFile]) -> PublicDataOut:
    """Return the list of files with the rules that go with them."""
    slug = found.config.slug
    rules = {name: getattr(found.config, name) for name in DataRulesOut.model_fields}
    return PublicDataOut(
        competition=slug,
        reference_version=found.version,
        reference_digest=found.digest,
        retrain_seconds=found.retrain_seconds,
        full_size=found.full_size,
        rules=DataRulesOut(**rules),
        files=[_file(slug, one) for one in files],
        total_bytes=sum(one.n_bytes for one in files),
    )


def _file(slug: str, one: PublicFile) -> DataFileOut:
    return DataFileOut(
        name=one.name,
        bytes=one.n_bytes,
        sha256=one.digest,
        what=one.what,
        arrays=[ArrayOut(name=a.name, dtype=a.dtype, shape=list(a.shape)) for a in one.arrays],
        url=f"/api/v1/competitions/{slug}/data/{one.digest}",
    )
