"""Submissions and what becomes of them."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base
from app.models.competitions import Calibration, Competition, Reference
from app.models.people import User
from app.models.teams import Team
from app.status import FinalState, RunKind, RunStatus, Status, Verdict

if TYPE_CHECKING:
    from app.models.decisions import Rerun


class Submission(Base):
    """An immutable bundle by digest."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("user_id", "idempotency_key"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), index=True)
    team_id: Mapped[str | None] = mapped_column(
        ForeignKey("teams.id"), index=True
    )  # whose it is, if not the user's alone
    bundle_digest: Mapped[str] = mapped_column(String(64))
    bundle_bytes: Mapped[int]
    note: Mapped[str] = mapped_column(String(200))
    idempotency_key: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime]
    user: Mapped[User] = relationship()
    team: Mapped[Team | None] = relationship()
    competition: Mapped[Competition] = relationship()
    evaluations: Mapped[list["Evaluation"]] = relationship(
        back_populates="submission", order_by="Evaluation.generation"
    )


class FinalEntry(Base):
    """A submission by which the private split may decide: chosen while the competition is open, or taken at its close."""

    __tablename__ = "final_entries"
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), index=True)
    state: Mapped[FinalState]
    automatic: Mapped[bool]  # taken at the close for a place that nobody's choice filled
    created_at: Mapped[datetime]
    submission: Mapped[Submission] = relationship()


class Evaluation(Base):
    """One grading of a submission on one split; a rerun is a new generation and never touches the old."""

    __tablename__ = "evaluations"
    __table_args__ = (
        UniqueConstraint("submission_id", "split", "generation"),
        Index(
            "uq_evaluations_published",
            "submission_id",
            "split",
            unique=True,
            sqlite_where=text("published"),
            postgresql_where=text("published"),
        ),
        Index("ix_evaluations_status_due_at", "status", "due_at"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    reference_id: Mapped[str] = mapped_column(ForeignKey("references_.id"))
    split: Mapped[str] = mapped_column(String(16))
    generation: Mapped[int]
    status: Mapped[Status]
    verdict: Mapped[Verdict | None]
    reason: Mapped[str | None] = mapped_column(String(32))  # a code of app.reasons
    published: Mapped[bool]
    cancel_requested: Mapped[bool]
    rerun_id: Mapped[str | None] = mapped_column(
        ForeignKey("reruns.id"), index=True
    )  # with it, only deciding on that rerun publishes this
    n_runs: Mapped[int]
    cutoff_fraction: Mapped[float]  # of one retraining's seconds on the device of each run
    cutoff_seconds: Mapped[
        float
    ]  # the same of the reference's own seconds: what is shown before a run is lent
    fence: Mapped[int]  # guards scoring
    losses: Mapped[int]  # infrastructure losses while scoring
    due_at: Mapped[datetime | None]  # None only when done
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    submission: Mapped[Submission] = relationship(back_populates="evaluations")
    rerun: Mapped["Rerun | None"] = relationship()
    reference: Mapped[Reference] = relationship()
    runs: Mapped[list["Run"]] = relationship(back_populates="evaluation", order_by="Run.seed_index")
    """All of them; a smoke run comes first."""
    score: Mapped["Score | None"] = relationship(
        primaryjoin="and_(Evaluation.id == Score.evaluation_id, Score.current)", viewonly=True
    )

    @property
    def seed_runs(self) -> list["Run"]:
        """The N runs that are counted and scored."""
        return [run for run in self.runs if run.kind is RunKind.SEED]

    @property
    def smoke_run(self) -> "Run | None":
        """The run on public data, if there is one."""
        return next((run for run in self.runs if run.kind is RunKind.SMOKE), None)


class Run(Base):
    """One seed of an evaluation, or its smoke run: the same code on public data, whose log may be shown."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("evaluation_id", "seed_index"),
        Index(
            "ix_runs_queue",
            "status",
            "reference_id",
            "lane",
            "turn",
            "queued_at",
            "evaluation_id",
            "seed_index",
            "id",
        ),
        Index("ix_runs_status_lease_until", "status", "lease_until"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    evaluation_id: Mapped[str] = mapped_column(ForeignKey("evaluations.id"))
    reference_id: Mapped[str] = mapped_column(String(32))  # the evaluation's: here for the queue's index
    lane: Mapped[int] = mapped_column(default=0)  # app.status.Lane
    turn: Mapped[int] = mapped_column(default=0)  # app.evaluations.turns; a rerun's is 0
    kind: Mapped[RunKind] = mapped_column(default=RunKind.SEED)
    seed_index: Mapped[int]  # 0 to N-1; -1 for a smoke run, which the queue therefore gives out first
    seed: Mapped[int]
    status: Mapped[RunStatus]
    fence: Mapped[int]
    losses: Mapped[int]  # times a worker or sandbox was lost under it
    worker: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None]
    calibration_id: Mapped[str | None] = mapped_column(ForeignKey("calibrations.id"))
    cutoff_seconds: Mapped[float | None]  # frozen when lent, like the calibration; None until then
    verdict: Mapped[Verdict | None]  # only when failed
    reason: Mapped[str | None] = mapped_column(String(32))
    seconds: Mapped[float | None]  # host's clock, GO to the sandbox's death
    outputs_digest: Mapped[str | None] = mapped_column(String(64))  # blob of this run's logits
    log_digest: Mapped[str | None] = mapped_column(
        String(64)
    )  # blob of what a smoke run printed; no other has one
    log_dropped_bytes: Mapped[int | None] = mapped_column(  # left out in the middle of that log
        BigInteger().with_variant(Integer, "sqlite")  # whose integers have 64 bits anyway
    )
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    printed: Mapped[str | None] = mapped_column(
        Text, deferred=True
    )  # what a smoke run without a log had printed at its worker's last heartbeat
    evaluation: Mapped[Evaluation] = relationship(back_populates="runs")
    calibration: Mapped[Calibration | None] = relationship()


class Score(Base):
    """A report under one reference and one grader version.

    An evaluation has one current score, which is shown and ranked. Others were replaced, or wait to replace it.
    Columns that are read often stand before the report: SQLite would read through it to reach them.
    """

    __tablename__ = "scores"
    __table_args__ = (
        UniqueConstraint("evaluation_id", "grader_version"),
        Index(
            "uq_scores_current",
            "evaluation_id",
            unique=True,
            sqlite_where=text("current"),
            postgresql_where=text("current"),
        ),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    evaluation_id: Mapped[str] = mapped_column(ForeignKey("evaluations.id"))
    grader_version: Mapped[str] = mapped_column(String(16))
    reference_digest: Mapped[str] = mapped_column(String(64))
    score: Mapped[float]  # the official one
    forgetting_quality: Mapped[float]
    retain_ratio: Mapped[float]
    test_ratio: Mapped[float]
    current: Mapped[bool]
    calibrated_score: Mapped[float | None]  # this and the intervals: None where N is too small for them
    interval_low: Mapped[float | None]  # of the official score, 95 %
    interval_high: Mapped[float | None]
    calibrated_low: Mapped[float | None]
    calibrated_high: Mapped[float | None]
    flags: Mapped[list[str]]  # codes of app.flags
    replicates: Mapped[dict[str, Any]]  # "official", "calibrated": both on the same halves of the models
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # app.schemas.SummaryOut
    plots: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True), deferred=True
    )  # app.plots.Plots
    report: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    evaluation: Mapped[Evaluation] = relationship()
