"""Competitions, who organises them and what they are graded against."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base
from app.phases import Times


class Competition(Base):
    """An organiser's competition as last registered: its configuration and pages, by digest."""

    __tablename__ = "competitions"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    config: Mapped[dict[str, Any]]
    pages: Mapped[dict[str, Any]]  # page name -> Markdown
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]  # when final entries were taken: app.closing
    revealed_at: Mapped[datetime | None]  # when the private leaderboard was revealed: app.reveal
    updated_at: Mapped[datetime]
    team_changes: Mapped[int] = mapped_column(default=0)  # counts them, for what is kept of boards

    @property
    def times(self) -> Times:
        """What decides its phase."""
        return Times(self.opens_at, self.closes_at, self.revealed_at)


class CompetitionOrganiser(Base):
    """A person who may act for everybody in one competition."""

    __tablename__ = "competition_organisers"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), primary_key=True, index=True)
    created_at: Mapped[datetime]
    competition: Mapped[Competition] = relationship()


class Reference(Base):
    """Immutable, versioned outputs of a split's retrained models; everything else is in its manifest's blobs.

    A split has one current reference: new evaluations are graded against it. It need not be the newest version,
    for what is prepared again as it once was is the same reference.
    """

    __tablename__ = "references_"
    __table_args__ = (
        UniqueConstraint("competition_id", "split", "version"),
        Index(
            "uq_references__current",
            "competition_id",
            "split",
            unique=True,
            sqlite_where=text("current"),
            postgresql_where=text("current"),
        ),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"))
    split: Mapped[str] = mapped_column(String(16))  # "public" | "private"
    version: Mapped[int]
    current: Mapped[bool]
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # sha256 of the manifest blob
    n_models: Mapped[int]
    retrain_seconds: Mapped[float]  # median wall seconds of one retraining, one thread
    facts: Mapped[dict[str, Any]]  # what the pages show: memorisation, accuracies, the retraining row
    smoke: Mapped[bool] = mapped_column(default=False)  # whether it holds public data for smoke runs
    created_at: Mapped[datetime]
    competition: Mapped[Competition] = relationship()


class Calibration(Base):
    """How long one retraining of a reference takes on one device, through the runner and limits of everybody's runs.

    Runs are lent with cutoffs made of it, which they keep: measuring again changes the row, and no earlier cutoff.
    """

    __tablename__ = "calibrations"
    __table_args__ = (UniqueConstraint("reference_id", "device"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    reference_id: Mapped[str] = mapped_column(ForeignKey("references_.id"))
    device: Mapped[str] = mapped_column(String(64))  # digest of the facts
    device_name: Mapped[str] = mapped_column(String(200))  # the facts in words
    facts: Mapped[dict[str, Any]]  # what of a machine and of a competition's limits decides how fast runs are
    seconds: Mapped[float]  # the repeats' median
    repeats: Mapped[list[float]]
    worker: Mapped[str] = mapped_column(String(64))  # who measured
    stale: Mapped[bool]  # to be measured again before any run is lent by it
    created_at: Mapped[datetime]  # when it was measured
    drift: Mapped[float | None]  # seconds at the last check over `seconds`
    checked_at: Mapped[datetime | None]
    reference: Mapped[Reference] = relationship()
