"""An installation whose references and run outputs are real blobs, scored under an older grader version."""

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import select

from app import auth, evaluations, registry
from app.competitions import SPLITS, CompetitionConfig
from app.db import make_engine, migrate, read_only, unit_of_work
from app.evaluations import NewScore, RunOutcome
from app.models import Evaluation, Reference, Run, Score, Submission, User
from app.settings import Settings
from app.storage import LocalStorage
from tests.lending import lend
from worker.files import npz_bytes
from worker.outputs import RunOutputs

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLD = "0"
"""A grader version that there never was, so that any is newer."""
N, S, C = 8, 2, 3
MODEL = (
    b"import torch\n\n\ndef build_model():\n    return torch.nn.Linear(2, 3)\n\n\n"
    b"def train(model, images, labels, *, device, on_epoch): ...\n"
)
LABELS = np.arange(S) % C
FACTS = {"score": 0.5, "forgetting_quality": 0.5, "retain_ratio": 1.0, "test_ratio": 1.0}


@dataclass
class Installation:
    """A data folder, its database and its blobs, with helpers that play participant and worker."""

    settings: Settings
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))

    def __post_init__(self):
        migrate(self.settings.url)
        self.engine = make_engine(self.settings.url)
        self.storage = LocalStorage(self.settings.data_dir / "blobs")
        self.count = itertools.count()

    def competition(self, slug="tiny"):
        """Register a competition with a reference for each split."""
        config = CompetitionConfig(
            slug=slug, title="Tiny", opens_at=NOW - 100 * HOUR, closes_at=NOW + 100 * HOUR
        )
        with unit_of_work(self.engine) as session:
            competition = registry.register(session, config, {"overview": "# Tiny"}, NOW)
        for split in SPLITS:
            self.reference(split, slug)
        return competition

    def reference(self, split="public", slug="tiny"):
        """Make a new reference the current one of its split; return its digest."""
        outputs = {}
        for role in ("retrained", "ceiling"):
            outputs[f"{role}_forget_logits"] = self.logits(0.0)
            for name in ("retain_accuracy", "test_accuracy", "seconds"):
                outputs[f"{role}_{name}"] = self.rng.uniform(0.8, 0.9, N)
        files = {
            "sandbox/model.py": MODEL,
            "sandbox/original.npz": npz_bytes(
                {"weight": np.ones((3, 2), np.float32), "bias": np.ones(3, np.float32)}
            ),
            "sandbox/material.npz": npz_bytes(
                {"forget_labels": LABELS, "forget_images": self.rng.normal(size=(S, 2)).astype(np.float32)}
            ),
            "hidden.npz": npz_bytes({"test_labels": LABELS}),
            "outputs.npz": npz_bytes(outputs),
        }
        manifest = {"files": {path: self.storage.put(data) for path, data in files.items()}}
        digest = self.storage.put(json.dumps(manifest).encode())
        with unit_of_work(self.engine) as session:
            competition = registry.get_competition(session, slug)
            registry.add_reference(session, competition, split, digest, N, 10.0, {"retraining": FACTS}, NOW)
        return digest

    def logits(self, shift):
        """float32 [N, S, C]: the further `shift` from 0, the less like retraining."""
        logits = self.rng.normal(size=(N, S, C)).astype(np.float32)
        logits[:, np.arange(S), LABELS] += shift
        return logits

    def scored(self, name, shift=0.0, old=0.3, *, slug="tiny", split="public", version=OLD, logits=None):
        """Submit as `name`, run, and score under `version`; return the evaluation's id."""
        evaluation_id = self._queued(name, slug, split)
        now = NOW + next(self.count) * HOUR
        logits = self.logits(shift) if logits is None else logits
        outcomes = [RunOutputs(one, *self.rng.uniform(0.8, 0.9, 2)) for one in logits]
        with unit_of_work(self.engine) as session:
            for claim in lend(session, worker="w", limit=N, now=now, lease=HOUR, queue_due=HOUR):
                digest = self.storage.put(outcomes[claim.seed_index].to_bytes())
                evaluations.record(session, claim, RunOutcome(1.0, digest), now, HOUR, HOUR)
            claim = evaluations.scoring_claim(session, evaluation_id, now, HOUR)
            new = NewScore(version, old, old, 1.0, 1.0, {})
            assert evaluations.finish(session, claim, new, now)
        return evaluation_id

    def _queued(self, name, slug, split):
        now = NOW + next(self.count) * HOUR
        with unit_of_work(self.engine) as session:
            user = session.scalar(select(User).where(User.name == name))
            if user is None:
                user = auth.create_user(session, name, "correct horse", "participant", now)
            competition = registry.get_competition(session, slug)
            submission = Submission(
                id=f"{name}{next(self.count)}",
                user_id=user.id,
                competition_id=competition.id,
                bundle_digest="b" * 64,
                bundle_bytes=10,
                note="",
                created_at=now,
            )
            session.add(submission)
            session.flush()
            reference = registry.current_reference(session, competition, split)
            return evaluations.create(
                session, submission, reference, 2.0, range(N), published=True, now=now, due=now + 100 * HOUR
            ).id

    def scores(self, evaluation_id=None):
        """(version, current) of every score, or of an evaluation's."""
        query = select(Score.grader_version, Score.current)
        if evaluation_id is not None:
            query = query.where(Score.evaluation_id == evaluation_id)
        with read_only(self.engine) as session:
            return sorted(tuple(row) for row in session.execute(query))

    def blob_of_run(self, evaluation_id, index=3):
        """The file that holds the outputs of one run."""
        query = select(Run.outputs_digest).where(Run.evaluation_id == evaluation_id, Run.seed_index == index)
        with read_only(self.engine) as session:
            return self.blob(session.scalar(query))

    def blob(self, digest):
        return self.settings.data_dir / "blobs" / digest[:2] / digest

    def submission_of(self, evaluation_id):
        with read_only(self.engine) as session:
            return session.get_one(Evaluation, evaluation_id).submission_id

    def retraining(self):
        """The grader versions of the references' rows of retraining."""
        with read_only(self.engine) as session:
            return {
                one.facts["retraining"].get("grader_version") for one in session.scalars(select(Reference))
            }
