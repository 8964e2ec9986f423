"""Every set of weights of the catalogue, read, measured and scored by the worker's own code: refused, or scored for what it is."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import registry
from app.db import make_engine, migrate, unit_of_work
from app.settings import Settings
from app.storage import LocalStorage
from tests.hostile.catalogue import SCORED, Family
from tests.hostile.grading_attacks import ATTACKS, nudged
from worker.device import Device
from worker.material import fetch
from worker.outputs import RunOutputs, Split
from worker.prepare import prepare
from worker.sandbox.base import RunResult
from worker.sandbox.fake import Fake
from worker.sandbox.pool import Pool
from worker.scoring import score_outputs

TINY = Path(__file__).parents[1] / "fixtures/tiny"
RUNS = 4


class Grader:
    """A reference, and the worker's way from payloads to a verdict."""

    def __init__(self, folder):
        settings = Settings(data_dir=folder)
        migrate(settings.url)
        engine, storage = make_engine(settings.url), LocalStorage(folder / "blobs")
        prepare(TINY, settings=settings, engine=engine, storage=storage, now=datetime.now(UTC))
        with unit_of_work(engine) as session:
            reference = registry.current_reference(
                session, registry.get_competition(session, "tiny"), "public"
            )
            material = fetch(storage, reference.digest, folder / "cache")
        self.split = Split(material, "cpu")
        self.original = material.original()
        self._storage = storage
        self._pool = Pool(Fake())
        self._device = Device(storage, self._pool, settings)

    def judge(self, make):
        """Return the first run's reason, or else what becomes of all runs, and the score if there is one."""
        outcomes = [
            self._device._judge(self.split, RunResult(1.0, make(self.original, run))) for run in range(RUNS)
        ]
        reasons = {outcome.reason for outcome in outcomes}
        assert len(reasons) == 1
        if reasons != {None}:
            return reasons.pop(), None
        outputs = [RunOutputs.from_bytes(self._storage.get(outcome.outputs_digest)) for outcome in outcomes]
        score = score_outputs(outputs, self.split, [1.0] * RUNS, 2.0)
        return (SCORED, score) if score is not None else ("not_scorable", None)

    def close(self):
        self._pool.close()


@pytest.fixture(scope="module")
def grader(tmp_path_factory):
    made = Grader(tmp_path_factory.mktemp("grader"))
    yield made
    made.close()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_weights_are_refused_or_scored_for_what_they_are(attack, grader, line):
    checked = ", ".join(
        [
            "verdict, score within its range, reference unchanged",
            *(f"flag {one}" for one in sorted(attack.flags)),
        ]
    )
    with line(attack.name, Family.GRADING, "grader", checked) as say:
        before = {key: tensor.clone() for key, tensor in grader.split._original.items()}
        verdict, score = grader.judge(attack.make)
        assert verdict == attack.expected
        if score is not None:
            assert 0 <= score.forgetting_quality <= 1
            assert math.isfinite(score.score)
            assert attack.flags <= set(score.flags), score.flags
        assert all(tensor.equal(before[key]) for key, tensor in grader.split._original.items())
        assert not Path("/tmp/lethe-pickled").exists()
        say(verdict)


def test_after_all_of_that_honest_weights_are_scored_without_those_flags(grader):
    verdict, score = grader.judge(nudged)
    assert verdict == SCORED
    assert not {"same_as_original", "too_alike"} & set(score.flags)
