"""An engine on each database, and rows to start from."""

import shutil
import zipfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app import evaluations, registry, submissions
from app.competitions import SPLITS, CompetitionConfig
from app.db import make_engine, migrate, read_only, unit_of_work
from app.evaluations import NewScore, RunLog, RunOutcome
from app.models import Base, Evaluation, Event, FinalEntry, QuotaEntry, Run, Submission, User
from app.status import FinalState, RunKind, RunStatus, Verdict
from app.storage import LocalStorage
from tests.lending import calibrate_all, lend

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
DAY = timedelta(hours=24)
SCORE = NewScore("1", 0.5, 0.4, 0.9, 0.8, {"epsilon": [1.0, None]})
GOOD = "def unlearning(net, retain_loader, forget_loader, val_loader): pass\n"
FAILURE = RunOutcome(2.0, verdict=Verdict.TIMED_OUT, reason="over_cutoff")
SMOKED = RunOutcome(0.5, log=RunLog("f" * 64, 10 << 30))  # which printed without end


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "lethe.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_engine(postgres_url):
    engine = make_engine(postgres_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request, tmp_path):
    """A migrated, empty database."""
    if request.param == "postgres":
        shared = request.getfixturevalue("postgres_engine")
        yield shared
        tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
        with shared.begin() as connection:
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        return
    shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "lethe.db")
    own = make_engine(f"sqlite:///{tmp_path / 'lethe.db'}")
    yield own
    own.dispose()


def make_config(slug="digits", per_day=5, **values):
    return CompetitionConfig(
        slug=slug,
        title="Digits",
        opens_at=values.pop("opens_at", NOW - timedelta(days=30)),
        closes_at=NOW + timedelta(days=30),
        bundle={"per_day": per_day},
        **values,
    )


@dataclass(frozen=True)
class World:
    """One competition with a reference of three models on each split, a participant and an admin."""

    engine: object

    def user(self, name, role="participant"):
        user = User(
            id=name.ljust(32, "0"), name=name, password_hash="x", role=role, created_at=NOW, grants=[]
        )
        with unit_of_work(self.engine) as session:
            session.add(user)
        return user

    def competition(self, slug="digits", n_models=3, **values):
        with unit_of_work(self.engine) as session:
            competition = registry.register(
                session, make_config(slug, **values), {"overview": "# Hello"}, NOW
            )
            for split in SPLITS:
                digest = f"{slug}-{split}".ljust(64, "0")
                registry.add_reference(session, competition, split, digest, n_models, 10.0, {}, NOW)
            calibrate_all(session, NOW)
        return competition

    def submission(self, user, slug="digits", runs=3, at=NOW, *, paid=True, smoke_seed=None):
        """A queued submission on the public split; return (submission id, evaluation id)."""
        with unit_of_work(self.engine) as session:
            competition = registry.get_competition(session, slug)
            submission = Submission(
                id=f"{user.name}-{at:%d%H%M%S%f}-{slug}".ljust(32, "0")[:32],
                user_id=user.id,
                competition_id=competition.id,
                bundle_digest="b" * 64,
                bundle_bytes=1000,
                note="",
                created_at=at,
            )
            session.add(submission)
            session.flush()
            if paid:
                session.add(_debit(submission, at))
            reference = registry.current_reference(session, competition, "public")
            evaluation = evaluations.create(
                session,
                submission,
                reference,
                0.2,
                range(runs),
                published=True,
                now=at,
                due=at + DAY,
                smoke_seed=smoke_seed,
            )
        return submission.id, evaluation.id

    def claim(self, limit=1, worker="w1", at=NOW):
        with unit_of_work(self.engine) as session:
            return lend(session, worker=worker, limit=limit, now=at, lease=LEASE, queue_due=DAY)

    def record(self, claim, outcome=None, at=NOW):
        seed = RunOutcome(1.5, outputs_digest=f"{claim.seed_index}".rjust(64, "0"))
        outcome = outcome or (SMOKED if claim.kind is RunKind.SMOKE else seed)
        with unit_of_work(self.engine) as session:
            return evaluations.record(session, claim, outcome, at, LEASE, DAY)

    def scoring_claim(self, evaluation_id=None, at=NOW):
        with unit_of_work(self.engine) as session:
            return evaluations.scoring_claim(session, evaluation_id, at, LEASE)

    def finish(self, claim, score=SCORE, at=NOW):
        with unit_of_work(self.engine) as session:
            return evaluations.finish(session, claim, score, at)

    def score(self, evaluation_id, value=0.5, at=NOW):
        """Take an evaluation from queued to scored."""
        for claim in self.claim(limit=100, at=at):
            self.record(claim, at=at)
        assert self.finish(self.scoring_claim(evaluation_id, at), replace(SCORE, score=value), at)

    def reap(self, at):
        with unit_of_work(self.engine) as session:
            return evaluations.reap(session, at, DAY)

    def enter(self, submission_id, at=NOW):
        """Make a submission one of the final entries, which the private split ranks."""
        with unit_of_work(self.engine) as session:
            submission = session.get_one(Submission, submission_id)
            session.add(
                FinalEntry(
                    submission_id=submission_id,
                    competition_id=submission.competition_id,
                    state=FinalState.ENTERED,
                    automatic=True,
                    created_at=at,
                )
            )

    def evaluation(self, evaluation_id):
        with read_only(self.engine) as session:
            row = session.get_one(Evaluation, evaluation_id)
            session.expunge(row)
            return row

    def evaluation_of(self, submission_id):
        with read_only(self.engine) as session:
            return session.query(Evaluation.id).filter_by(submission_id=submission_id).scalar()

    def runs(self, evaluation_id):
        with read_only(self.engine) as session:
            rows = session.query(Run).filter_by(evaluation_id=evaluation_id).order_by(Run.seed_index).all()
            session.expunge_all()
            return rows

    def statuses(self, evaluation_id):
        return [run.status for run in self.runs(evaluation_id)]

    def refunds(self, submission_id):
        with read_only(self.engine) as session:
            return session.query(QuotaEntry).filter_by(submission_id=submission_id, kind="refund").count()

    def events(self, kind=None):
        with read_only(self.engine) as session:
            kinds = [event.kind for event in session.query(Event).order_by(Event.id)]
        return kinds if kind is None else kinds.count(kind)


def _debit(submission, at):
    return QuotaEntry(
        id=submission.id,
        user_id=submission.user_id,
        competition_id=submission.competition_id,
        submission_id=submission.id,
        day=at.date().isoformat(),
        kind="debit",
        amount=-1,
        created_at=at,
    )


@pytest.fixture
def world(engine):
    world = World(engine)
    world.competition()
    return world


@pytest.fixture
def ada(world):
    return world.user("ada")


@pytest.fixture
def admin(world):
    return world.user("root", role="admin")


def make_zip(path, source=GOOD):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("submission.py"), source)
    return path


@pytest.fixture
def door(world, ada, tmp_path):
    """Submit as ada, with everything but what the test changes."""
    storage = LocalStorage(tmp_path / "blobs")
    upload = make_zip(tmp_path / "good.zip")

    def accept(**changes):
        words = {"user_id": ada.id, "slug": "digits", "upload": upload, "note": "", "idempotency_key": None}
        return submissions.accept(world.engine, storage, **{**words, "now": NOW, "queue_due": DAY, **changes})

    accept.upload, accept.storage = upload, storage
    return accept


ALL_SKIPPED = [RunStatus.SKIPPED] * 3
