"""Fills a database with people, a competition and submissions in every state, through Lethe's own functions."""

import itertools
import random
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import select

from app import auth, evaluations, organisers, registry, reruns, reveal, submissions, timetable
from app.competitions import CompetitionConfig
from app.db import make_engine, migrate, unit_of_work
from app.evaluations import Claim, RunLog, RunOutcome
from app.models import Evaluation, Run, User, Worker
from app.phases import GRACE
from app.queue import Silent
from app.reasons import REASONS
from app.status import RunStatus, Verdict
from app.storage import LocalStorage
from app.submissions import Accepted
from tests.bundles import zipped
from tests.grades import FACTS, N_MODELS, graded
from tests.lending import lend

GOOD = "def unlearning(net, retain_loader, forget_loader, val_loader):\n    return net\n"
PASSWORD = "correct horse battery"
LEASE = timedelta(minutes=5)
DAY = timedelta(hours=24)
OVERVIEW = """\
Make a small network forget **100 handwritten digits** that it was trained on.

## What you send

A zip with `submission.py` at its root, which defines

```python
def unlearning(net, retain_loader, forget_loader, val_loader):
    ...
```

| Loader | Images | Use |
| --- | --- | --- |
| `retain_loader` | 500 | what the model should still know |
| `forget_loader` | 100 | what it should forget |
| `val_loader` | 400 | to look after accuracy |

Raw HTML such as <script>alert(1)</script> is shown as text.
"""
PAGES = {
    "overview": OVERVIEW,
    "rules": "# Rules\n\n## For all\n\n1. One account per person.\n2. No data of your own in the bundle.\n",
    "data": "## Data\n\nscikit-learn's bundled digits, 8 x 8 pixels. Labels of 30 % of the images are noisy.\n",
}


@cache
def _hashed() -> str:
    return auth.hash_password(PASSWORD)  # everybody's, once: it takes its time


class Clock:
    """A clock that moves only when told to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@dataclass
class World:
    """A database and its blobs, with helpers that play participant and worker."""

    data_dir: Path
    clock: Clock = field(default_factory=lambda: Clock(datetime(2026, 3, 2, 9, tzinfo=UTC)))
    url: str = ""

    def __post_init__(self) -> None:
        self.url = self.url or f"sqlite:///{self.data_dir.resolve() / 'lethe.db'}"
        migrate(self.url)
        self.engine = make_engine(self.url)
        self.storage = LocalStorage(self.data_dir / "blobs")
        self.tokens: dict[str, str] = {}
        self.digests = itertools.count()

    def copy(self, data_dir: Path) -> "World":
        """Return another world with the same rows, in a folder of its own; hashing passwords takes its time."""
        self.engine.dispose()
        shutil.copytree(self.data_dir, data_dir, dirs_exist_ok=True)
        other = World(data_dir, Clock(self.clock.now))
        other.tokens.update(self.tokens)
        other.digests = itertools.count(next(self.digests) + 1000)  # what is there keeps its digests
        return other

    def person(self, name: str, role: str = "participant") -> str:
        """Add somebody; return an API token."""
        with unit_of_work(self.engine) as session:
            auth.check_role(role)
            user = auth.insert_user(session, name, _hashed(), role, self.clock())
            self.tokens[name] = auth.issue_token(session, user, "api", "tests", self.clock(), None)
        return self.tokens[name]

    def user(self, name: str) -> User:
        with unit_of_work(self.engine) as session:
            return auth.holder_of(session, self.tokens[name], self.clock(), "api").user

    def organiser(self, name: str, slug: str = "digits") -> None:
        """Add somebody who organises a competition."""
        self.person(name)
        with unit_of_work(self.engine) as session:
            organisers.grant(session, slug, name, "root", self.clock())

    def worker(self, name: str = "worker-1") -> None:
        """Add a worker that has just been heard of."""
        now = self.clock()
        with unit_of_work(self.engine) as session:
            session.add(
                Worker(
                    name=name,
                    host="gpu-7",
                    pid=4711,
                    device_class="cpu",
                    device="9a0b1c2d3e4f5a6b",
                    device_name="AMD EPYC 9B14",
                    sandboxes="bubblewrap",
                    version="0.1.0",
                    state="idle",
                    started_at=now,
                    seen_at=now,
                )
            )

    def competition(
        self, slug: str = "digits", *, n_models: int = 4, prepared: bool = True, **config
    ) -> None:
        """Register a competition, and its public reference."""
        settings = {
            "slug": slug,
            "title": "Forget the digits",
            "summary": "Unlearn 100 mislabelled digits from a narrow ResNet-18.",
            "opens_at": "2026-01-01T00:00:00Z",
            "closes_at": "2026-06-01T00:00:00Z",
            "bundle": {"per_day": 3, "max_bytes": 100_000},
            "evaluation": {"models": n_models, "cutoff_fraction": 0.2},
        } | config
        with unit_of_work(self.engine) as session:
            one = registry.register(session, CompetitionConfig.model_validate(settings), PAGES, self.clock())
            if prepared:
                registry.add_reference(
                    session, one, "public", self._digest(slug), n_models, 7.4, FACTS, self.clock()
                )

    def _digest(self, slug: str) -> str:
        return f"{slug}{next(self.digests)}".encode().hex().ljust(64, "7")[:64]

    def reference(
        self, split: str = "public", slug: str = "digits", n_models: int = 4, *, smoke: bool = False
    ) -> None:
        """Prepare a split anew: its current reference is another one, perhaps with public data."""
        with unit_of_work(self.engine) as session:
            one = registry.get_competition(session, slug)
            registry.add_reference(
                session, one, split, self._digest(slug), n_models, 7.4, FACTS, self.clock(), smoke=smoke
            )

    def submit(self, name: str, note: str = "", slug: str = "digits", source: str = GOOD) -> str:
        """Submit as somebody; return the submission's id."""
        path = self.data_dir / f"upload-{next(self.digests)}.zip"
        path.write_bytes(zipped(source))
        accepted: Accepted = submissions.accept(
            self.engine,
            self.storage,
            user_id=self.user(name).id,
            slug=slug,
            upload=path,
            note=note,
            idempotency_key=None,
            now=self.clock(),
            queue_due=DAY,
        )
        return accepted.submission_id

    def run(self, count: int, outcome: RunOutcome | None = None, seed: int = 0) -> str:
        """Play a worker that ends `count` runs, the last with `outcome` if given; return what recording led to."""
        chance = random.Random(seed)
        led_to = ""
        for index in range(count):
            self.clock.forward(seconds=1.2)
            with unit_of_work(self.engine) as session:
                [claim] = lend(
                    session, worker="worker-1", limit=1, now=self.clock(), lease=LEASE, queue_due=DAY
                )
                seconds = chance.uniform(0.55, 1.15)
                ended = outcome if outcome and index == count - 1 else RunOutcome(seconds, f"{index:064d}")
                led_to = evaluations.record(session, claim, ended, self.clock(), LEASE, DAY)
                last = claim
        if led_to == "last":
            self.last_evaluation = last.evaluation_id
        return led_to

    def smoke(
        self, said: bytes, dropped: int = 0, reason: str | None = None, claim: Claim | None = None
    ) -> None:
        """Play a worker that ends a smoke run, which printed something; `claim` is one that has begun."""
        log = RunLog(self.storage.put(said), dropped)
        verdict = None if reason is None else REASONS[reason].verdict
        claim = claim or self.claim_one()
        with unit_of_work(self.engine) as session:
            ended = RunOutcome(0.34, verdict=verdict, reason=reason, log=log)
            evaluations.record(session, claim, ended, self.clock(), LEASE, DAY)

    def print_so_far(self, claim: Claim, text: str) -> None:
        """Play the heartbeat of a worker whose smoke run has printed something."""
        with unit_of_work(self.engine) as session:
            assert evaluations.show_printed(session, claim, text)

    def lose_one(self) -> None:
        """Claim a run and lose it."""
        with unit_of_work(self.engine) as session:
            [claim] = lend(session, worker="worker-1", limit=1, now=self.clock(), lease=LEASE, queue_due=DAY)
            evaluations.give_back(session, claim, "worker_lost", self.clock())

    def rerun(self, submission_id: str) -> str:
        """Have a submission's evaluations graded again; return the rerun's id."""
        root, now = self.user("root"), self.clock()
        with unit_of_work(self.engine) as session:
            chosen = list(
                session.scalars(select(Evaluation.id).where(Evaluation.submission_id == submission_id))
            )
            made = reruns.make(session, chosen, "a typo of ours", root, now, queue_due=DAY, bell=Silent())
        return made.id

    def claim_one(self) -> Claim:
        """Leave one run running."""
        with unit_of_work(self.engine) as session:
            [claim] = lend(session, worker="worker-1", limit=1, now=self.clock(), lease=LEASE, queue_due=DAY)
        return claim

    def score(self, forgetting: float, retain: float, test: float, flags: tuple[str, ...] = ()) -> None:
        """Play the scorer of the evaluation whose last run was just recorded."""
        self.clock.forward(seconds=2)
        with unit_of_work(self.engine) as session:
            claim = evaluations.scoring_claim(session, self.last_evaluation, self.clock(), LEASE)
            assert evaluations.finish(session, claim, graded(forgetting, retain, test, flags), self.clock())

    def scored(
        self,
        name: str,
        forgetting: float,
        retain: float,
        test: float,
        note: str = "",
        n: int = 4,
        flags: tuple[str, ...] = (),
    ) -> str:
        """Submit, run and score."""
        submission_id = self.submit(name, note)
        assert self.run(n, seed=hash((forgetting, retain)) & 0xFFFF) == "last"
        self.score(forgetting, retain, test, flags)
        return submission_id

    def after_the_close(self, slug: str = "digits") -> int:
        """Move the clock past the close, and do what workers then do; return how many competitions that moved."""
        with unit_of_work(self.engine) as session:
            closes_at = registry.get_competition(session, slug).closes_at
        self.clock.now = max(self.clock.now, closes_at + GRACE)
        return timetable.advance(self.engine, self.clock(), DAY, Silent())

    def submission_of(self, evaluation_id: str) -> str:
        """Return whose evaluation it is."""
        with unit_of_work(self.engine) as session:
            return session.get_one(Evaluation, evaluation_id).submission_id

    def queued(self) -> int:
        """Count the runs that wait."""
        with unit_of_work(self.engine) as session:
            return session.query(Run).filter_by(status=RunStatus.QUEUED).count()

    def revealed(self, slug: str = "digits") -> None:
        """Close a competition, if that has not been done, and reveal its results."""
        self.after_the_close(slug)
        with unit_of_work(self.engine) as session:
            reveal.reveal(session, slug, "root", self.clock())


def _smoked(world: World) -> str:
    """Add a competition that gives public data, and a submission whose run on it failed; return its id."""
    world.competition("letters", title="Forget the letters", summary="With public data.", prepared=False)
    world.reference(slug="letters", smoke=True)
    submission_id = world.submit("ada", "with a typo", "letters")
    lines = [f"epoch {index}: loss {2 / index:.4f}" for index in range(1, 60)]
    world.smoke("\n".join([*lines, "NameError: name 'torhc' is not defined"]).encode(), reason="raised")
    return submission_id


def submissions_of(ids: dict[str, str]) -> list[str]:
    """Return the submissions among what a populated world has."""
    return [one for what, one in ids.items() if what != "rerun"]


def populate(world: World) -> dict[str, str]:
    """Fill a world with what a week brings; return ids by what they show: submissions, and one rerun of many.

    `ada` has a submission in every state.
    """
    for name in ("ada", "grace", "barbara", "katherine"):
        world.person(name)
    world.person("root", "admin")
    world.competition(n_models=N_MODELS, bundle={"per_day": 5, "max_bytes": 100_000})
    world.competition(
        "faces", title="Forget a face", summary="Opens next month.", opens_at="2026-04-01T00:00:00Z"
    )
    world.organiser("olive")
    world.worker()
    ids = {"smoked": _smoked(world)}
    ids["rival"] = world.scored("grace", 0.0853, 0.991, 0.984, "fine-tune, 3 epochs", N_MODELS)
    world.scored("barbara", 0.0611, 0.972, 0.955, n=N_MODELS, flags=("clipped", "too_even"))
    world.clock.forward(hours=5)
    ids["scored"] = world.scored("ada", 0.0747, 0.982, 0.971, "gradient ascent, then fine-tune", N_MODELS)
    world.clock.forward(hours=20)
    ids["timed_out"] = world.submit("ada", "more epochs")
    world.run(7, RunOutcome(1.48, None, Verdict.TIMED_OUT, "over_cutoff"), seed=3)
    ids["crashed"] = world.submit(
        "ada", "with class weights and a note that is rather long, to see how it wraps"
    )
    world.run(1, RunOutcome(0.21, None, Verdict.CRASHED, "raised"))
    ids["cancelled"] = world.submit("ada")
    with unit_of_work(world.engine) as session:
        submissions.cancel(session, ids["cancelled"], world.user("ada"), world.clock())
    ids["running"] = world.submit("ada", "smaller learning rate")
    world.clock.forward(seconds=40)
    world.run(11, seed=5)
    world.claim_one()
    ids["queued"] = world.submit("katherine", "first try")
    ids["rerun"] = world.rerun(ids["smoked"])
    world.clock.forward(seconds=20)
    return ids
