"""All tables. The database is the only truth."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from app.phases import Times
from app.status import FinalState, RunKind, RunStatus, Status, Verdict, WorkerState


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on every database; SQLite would lose the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive datetimes and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: pass an aware one")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def _words(words: type[StrEnum], length: int = 16) -> Enum:
    """Return a type of so many characters that holds an enum's values and gives back its members."""
    return Enum(
        words,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda kind: [member.value for member in kind],
    )


class Base(DeclarativeBase):
    """Naming conventions and column types shared by every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's declarative API
        datetime: UTCDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[float]: JSON,
        Status: _words(Status),
        RunStatus: _words(RunStatus),
        RunKind: _words(RunKind, 8),
        FinalState: _words(FinalState, 8),
        WorkerState: _words(WorkerState),
        Verdict: _words(Verdict),
    }


class User(Base):
    """A person who signs in: role is participant or admin; app.access says what follows from it and from grants."""

    __tablename__ = "users"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))  # empty: they sign in elsewhere
    role: Mapped[str] = mapped_column(String(16))
    turn: Mapped[int] = mapped_column(
        default=-1, index=True
    )  # of their last submission: app.evaluations.turns
    email: Mapped[str | None] = mapped_column(String(254))  # for notices; nobody has proved that it is theirs
    disabled_at: Mapped[datetime | None]  # then they are let in nowhere
    mail_notices: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    grants: Mapped[list["CompetitionOrganiser"]] = relationship(
        lazy="raise"
    )  # whoever asks as a viewer has them loaded: app.auth


class Token(Base):
    """A session cookie or an API token; only its SHA-256 is kept."""

    __tablename__ = "tokens"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # "session" | "api"
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]  # to the hour
    user: Mapped[User] = relationship()


class Invitation(Base):
    """A link by which one person may make an account; only the SHA-256 of its secret is kept."""

    __tablename__ = "invitations"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(64))
    email: Mapped[str | None] = mapped_column(String(254))
    made_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    revoked_at: Mapped[datetime | None]
    user: Mapped[User | None] = relationship()


class PasswordReset(Base):
    """A link by which somebody may choose a new password; the row goes when it is used."""

    __tablename__ = "password_resets"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Identity(Base):
    """Who a person is to an identity provider, which signs them in."""

    __tablename__ = "identities"
    issuer: Mapped[str] = mapped_column(String(255), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]


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


class Team(Base):
    """People who take part in one competition together. What they have submitted is the team's."""

    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("competition_id", "name_key"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"))
    name: Mapped[str] = mapped_column(String(40))
    name_key: Mapped[str] = mapped_column(String(160))  # of names that look alike only one is taken
    leader_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    competition: Mapped[Competition] = relationship()
    leader: Mapped[User] = relationship()
    members: Mapped[list["TeamMember"]] = relationship(
        order_by="TeamMember.joined_at, TeamMember.user_id", viewonly=True
    )


class TeamMember(Base):
    """Who is in which team; of a competition's teams a person is in one at most."""

    __tablename__ = "team_members"
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), index=True)
    joined_at: Mapped[datetime]
    user: Mapped[User] = relationship()


class TeamInvitation(Base):
    """A team's open invitation: to a person, or to all of another team. Answering it deletes it."""

    __tablename__ = "team_invitations"
    __table_args__ = (UniqueConstraint("team_id", "user_id"), UniqueConstraint("team_id", "invited_team_id"))
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    invited_team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"), index=True)
    created_at: Mapped[datetime]
    team: Mapped[Team] = relationship(foreign_keys=[team_id])
    user: Mapped[User | None] = relationship()
    invited_team: Mapped[Team | None] = relationship(foreign_keys=[invited_team_id])


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
    log_dropped_bytes: Mapped[int | None]  # left out in the middle of that log
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    evaluation: Mapped[Evaluation] = relationship(back_populates="runs")
    calibration: Mapped[Calibration | None] = relationship()


class Worker(Base):
    """A worker process that is alive, as it says itself every few seconds; nothing but pages depends on it."""

    __tablename__ = "workers"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    device_class: Mapped[str] = mapped_column(String(8))  # "cpu" | "cuda"
    device: Mapped[str] = mapped_column(String(64))  # digest of what it is, without any competition's limits
    device_name: Mapped[str] = mapped_column(String(200))
    sandboxes: Mapped[str] = mapped_column(String(200))  # the back end's identity
    version: Mapped[str] = mapped_column(String(32))  # of Lethe
    state: Mapped[WorkerState]  # as it said last; see app.workers.state_of
    run_id: Mapped[str | None] = mapped_column(String(32))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


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


class QuotaEntry(Base):
    """The quota ledger: -1 for a submission, +1 for a refund, what an admin gives or takes; never updated."""

    __tablename__ = "quota_entries"
    __table_args__ = (
        UniqueConstraint("submission_id", "kind"),
        Index("ix_quota_entries_user_id_competition_id_day", "user_id", "competition_id", "day"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"))
    submission_id: Mapped[str | None] = mapped_column(ForeignKey("submissions.id"))  # None of an adjustment
    day: Mapped[str | None] = mapped_column(
        String(10)
    )  # UTC day of the debit, which a refund gives back; None: every day
    kind: Mapped[str] = mapped_column(String(8))  # "debit" | "refund" | "adjust"
    amount: Mapped[int]
    created_at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(Text)  # this and the actor: of an adjustment alone
    actor: Mapped[str | None] = mapped_column(String(64))


class Disqualification(Base):
    """A submission, or all of somebody's in a competition, that does not count until this is lifted.

    Rows stay when they are lifted. Of submission_id and user_id one is set.
    """

    __tablename__ = "disqualifications"
    __table_args__ = (
        Index(
            "uq_disqualifications_submission",
            "submission_id",
            unique=True,
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
        Index(
            "uq_disqualifications_entrant",
            "competition_id",
            "user_id",
            unique=True,
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    competition_id: Mapped[str] = mapped_column(ForeignKey("competitions.id"))
    submission_id: Mapped[str | None] = mapped_column(ForeignKey("submissions.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(Text)  # shown to whom it concerns
    actor: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(64))
    lifted_reason: Mapped[str | None] = mapped_column(Text)


class Rerun(Base):
    """Several submissions graded again at once; what comes of it is published together, or dropped."""

    __tablename__ = "reruns"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(64))
    decision: Mapped[str | None] = mapped_column(String(16))  # "applied" | "dropped"; None while it is open
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(64))


class Event(Base):
    """What happened, in order; every transition writes one in its own transaction."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_kind", "kind", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(48))  # e.g. "evaluation.scoring"
    actor: Mapped[str] = mapped_column(String(64))  # a user's name, a worker's, or "reaper"
    submission_id: Mapped[str | None] = mapped_column(ForeignKey("submissions.id"), index=True)
    evaluation_id: Mapped[str | None] = mapped_column(ForeignKey("evaluations.id"), index=True)
    detail: Mapped[str] = mapped_column(Text)


class Webhook(Base):
    """Where a person's notices go over HTTP, signed by a secret that both sides know."""

    __tablename__ = "webhooks"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class Notice(Base):
    """The outbox: one thing to tell one person by one way. It is written with what it tells of."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("evaluation_id", "user_id", "channel"),
        Index("ix_notices_user_id_created_at", "user_id", "created_at"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    channel: Mapped[str] = mapped_column(String(8))  # "mail" | "webhook"
    kind: Mapped[str] = mapped_column(String(32))  # "evaluation.done" | "test"
    evaluation_id: Mapped[str | None] = mapped_column(ForeignKey("evaluations.id"))  # None of a test
    attempts: Mapped[int] = mapped_column(default=0)  # guards a try, as a fence does
    due_at: Mapped[datetime | None] = mapped_column(
        index=True
    )  # when it is tried next, or a lease ends; None when done
    tried_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(200), default="")  # of the last try, in words
    created_at: Mapped[datetime]
