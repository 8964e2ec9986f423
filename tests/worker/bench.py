"""A worker on a real database, real storage and a real reference; only the sandbox is the fake."""

from datetime import UTC, datetime

import torch
from sqlalchemy import select

from app import auth, registry, submissions
from app.db import make_engine, migrate, unit_of_work
from app.models import Evaluation
from app.settings import Settings
from app.storage import LocalStorage
from tests.bundles import zipped
from worker import weights
from worker.device import Device
from worker.material import fetch
from worker.pipeline import Step, Worker
from worker.prepare import prepare
from worker.sandbox.base import RunResult, SandboxFault
from worker.sandbox.fake import Fake, retrained
from worker.sandbox.pool import Pool


def prepare_into(folder, competition):
    """Prepare a competition in a data folder; return the folder."""
    settings = Settings(data_dir=folder)
    migrate(settings.url)
    prepare(
        competition,
        settings=settings,
        engine=make_engine(settings.url),
        storage=LocalStorage(folder / "blobs"),
        now=datetime.now(UTC),
    )
    return folder


class Bench:
    """A database, a storage and one submission in the queue."""

    def __init__(self, folder):
        self.settings = Settings(data_dir=folder, lease_seconds=30.0, reap_seconds=0.0, poll_seconds=0.05)
        self.engine = make_engine(self.settings.url)
        self.storage = LocalStorage(folder / "blobs")
        upload = folder / "upload.zip"
        upload.write_bytes(zipped("def unlearning(net, retain, forget, validation): ...\n"))
        now = datetime.now(UTC)
        with unit_of_work(self.engine) as session:
            self.ada = auth.create_user(session, "ada", "correct horse", "participant", now)
            reference = registry.current_reference(
                session, registry.get_competition(session, "tiny"), "public"
            )
        self.material = fetch(self.storage, reference.digest, folder / "cache")
        self.upload = upload
        self.submission_id = self.submit()

    def submit(self, bell=None):
        return submissions.accept(
            self.engine,
            self.storage,
            user_id=self.ada.id,
            slug="tiny",
            upload=self.upload,
            note="",
            idempotency_key=None,
            now=datetime.now(UTC),
            queue_due=self.settings.queue_due,
            bell=bell,
        ).submission_id

    def worker(self, behaviour, name="worker-1", retrains=retrained, **words):
        self.pool = Pool(Fake(behaviour, retrains))
        self.device = Device(self.storage, self.pool, self.settings)
        return Worker(self.engine, self.device, self.settings, name, **words)

    def drain(self, worker):
        while worker.step() is not Step.IDLE:
            pass
        self.pool.close()

    def evaluation(self):
        with unit_of_work(self.engine) as session:
            found = session.scalars(select(Evaluation)).one()
            return found, found.score, list(found.runs)

    def honest(self, job):
        """The original's weights, moved a little differently for each seed."""
        generator = torch.Generator().manual_seed(job.seed)
        moved = {
            key: value + 0.05 * torch.randn(value.shape, generator=generator)
            if value.is_floating_point()
            else value
            for key, value in self.material.original().items()
        }
        moved = {key: value.abs() if "running_var" in key else value for key, value in moved.items()}
        return RunResult(0.01, weights.serialise(moved))


def at_length(_job):
    """Retrain for so long that no cutoff is met before a test has asked for an end."""
    return RunResult(0.3, b"retrained")


def broken(_job):
    raise SandboxFault("broken")


class Patience:
    """Waits for nobody: notes the seconds, and stops the worker after so many waits."""

    def __init__(self, waits):
        self.left = waits
        self.seconds = []

    def __call__(self, seconds):
        self.seconds.append(seconds)
        self.left -= 1
        if self.left == 0:
            self.worker.stop()
