"""A bundle tried on public data as a worker tries it: same runner, limits, clock, reading of weights, and grader.

What a service has in its database is here made up or measured on this machine: the original and the retrained models are
trained once and kept, and retraining is timed, on data as large as the hidden ones where their size is known, so that a
run's cutoff here is about that of a real one here.
"""

import hashlib
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.competitions import CompetitionConfig
from app.evaluations import Claim, FinishedRun, NewScore, NextUp, RunOutcome, ScoringClaim
from app.logs import readable
from app.settings import Settings
from app.status import RunKind
from app.storage import LocalStorage
from worker.calibration import REPEATS, cutoff_of
from worker.dataset import check_dataset
from worker.device import Device
from worker.files import npz_bytes, read_npz, write_atomically
from worker.prepare import training_digest
from worker.public_data import PublicData, enlarged, write_competition
from worker.recipe import load_arrays
from worker.reference import build, sandbox_facts, tasks_of
from worker.sandbox.base import SandboxFault
from worker.sandbox.pool import Pool
from worker.trainer import STATE, Task
from worker.training import Trainers, cores

KEPT = timedelta(hours=24)
"""How long measured seconds of retraining count: machines drift."""
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Ended:
    """How one run, or all of them, ended; `log` is what it printed, where that was kept."""

    outcome: RunOutcome
    seed: int
    log: str = ""


@dataclass(frozen=True)
class Scored:
    """All runs went well: their seconds, and the score, unless some example cannot be scored."""

    seconds: tuple[float, ...]
    score: NewScore | None
    retraining_score: float | None  # the official score of models retrained here


class Rehearsal:
    """One competition's public data on this machine. `cache` keeps trained models and measured times between calls."""

    def __init__(self, data: PublicData, cache: Path, work: Path, pool: Pool, settings: Settings) -> None:
        self._data, self._cache = data, cache
        self._folder = write_competition(data, cache / "competitions")
        self._results = cache / "trained" / training_digest(self._folder)
        self._results.mkdir(parents=True, exist_ok=True)
        self._storage = LocalStorage(work / "blobs")
        self._device = Device(self._storage, pool, settings.model_copy(update={"data_dir": work}))
        self._dataset = check_dataset(load_arrays(self._folder), data.config.batches)
        self.config: CompetitionConfig = data.config

    def missing(self, n_models: int) -> int:
        """Return how many models must be trained before N runs can be graded; 2N + 1 at first."""
        return sum(not task.result(self._results).exists() for task in tasks_of("public", n_models))

    def train_original(self) -> float:
        """Train the network that runs start from, if it has not been; return the seconds that its training took."""
        self._train([Task("original")], lambda _done, _total: None)
        return float(read_npz(Task("original").result(self._results))["seconds"])

    def train(self, n_models: int, on_progress: OnProgress) -> None:
        """Train what is missing for N runs. Raises InvalidCompetition or PreparationFailed; what is trained is kept."""
        self._train(tasks_of("public", n_models), on_progress)

    def measured(self, now: datetime) -> float | None:
        """Return the seconds of one retraining here at full size, if they were measured not long ago."""
        try:
            kept = json.loads(self._timing().read_text())
            fresh = now - datetime.fromisoformat(kept["at"]) < KEPT
            return float(kept["seconds"]) if fresh else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def measure(self, now: datetime, on_progress: OnProgress, should_stop: Callable[[], bool]) -> float:
        """Time retraining three times in sandboxes, as workers do, and keep the median. Raises SandboxFault."""
        digest = self._full_size()
        expected = self._seconds_of_original() * self._enlargement()
        reference = NextUp("", digest, "public", expected, self.config)
        seconds = []
        for seed in range(REPEATS):
            result = self._device.retrain(reference, seed, cutoff_of(reference), should_stop)
            if result.reason is not None:
                raise SandboxFault(f"retraining here ended with {result.reason} after {result.seconds:.1f} s")
            seconds.append(result.seconds)
            on_progress(seed + 1, REPEATS)
        median = statistics.median(seconds)
        kept = {"seconds": median, "at": now.astimezone(UTC).isoformat()}
        self._timing().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._timing(), json.dumps(kept).encode())
        return median

    def smoke(self, bundle: bytes, cutoff: float, seed: int) -> Ended:
        """Run once on the public data, with a log, as the service does first of all."""
        return self._logged(bundle, self._untrained(self._data), cutoff, seed)

    def full_size(self, bundle: bytes, cutoff: float, seed: int) -> Ended:
        """Run once on the public data repeated to the hidden ones' size, which tells how long real runs take here."""
        return self._logged(bundle, self._full_size(), cutoff, seed)

    def run(
        self, bundle: bytes, cutoff: float, seeds: Sequence[int], on_progress: OnProgress
    ) -> Ended | Scored:
        """Run once for each seed and grade; the first that fails ends it, and is run once more for its log."""
        reference, retraining = self._reference(len(seeds))
        finished: list[FinishedRun] = []
        for index, seed in enumerate(seeds):
            on_progress(index, len(seeds))
            outcome = self._run(RunKind.SEED, bundle, reference, cutoff, seed)
            if outcome.outputs_digest is None:
                again = self._logged(bundle, reference, cutoff, seed)
                return Ended(outcome, seed, again.log)
            finished.append(FinishedRun(index, outcome.outputs_digest, outcome.seconds, cutoff))
        on_progress(len(seeds), len(seeds))
        score = self._device.score(ScoringClaim("", 0, reference), finished)
        return Scored(tuple(run.seconds for run in finished), score, retraining)

    def _logged(self, bundle: bytes, reference: str, cutoff: float, seed: int) -> Ended:
        outcome = self._run(RunKind.SMOKE, bundle, reference, cutoff, seed)
        assert outcome.log is not None
        return Ended(outcome, seed, readable(self._storage.get(outcome.log.digest)))

    def _run(self, kind: RunKind, bundle: bytes, reference: str, cutoff: float, seed: int) -> RunOutcome:
        digest = self._storage.put(bundle)
        claim = Claim("", "", self.config.slug, seed, 0, 0, digest, reference, cutoff, "here", kind)
        outcome = self._device.run(claim, self.config, lambda: False)
        assert outcome is not None  # nobody stops it but Ctrl-C, which raises
        return outcome

    def _train(self, tasks: Sequence[Task], on_progress: OnProgress) -> None:
        missing = [task for task in tasks if not task.result(self._results).exists()]
        done = 0
        with Trainers(self._folder, self._results, cores()) as trainers:

            def one_more() -> None:
                nonlocal done
                done += 1
                on_progress(done, len(missing))

            trainers.train(missing, one_more)

    def _seconds_of_original(self) -> float:
        return float(read_npz(Task("original").result(self._results))["seconds"])

    def _enlargement(self) -> float:
        """Return how many times as many images a real retraining has."""
        here = len(self._data.arrays["retain_labels"])
        return len(enlarged(self._data).arrays["retain_labels"]) / here

    def _timing(self) -> Path:
        """Name what is kept of times by all that decides them: the device, the data, and the limits."""
        here = self._device.fingerprint(self.config)
        known = f"{here.digest} {self._results.name} {self._data.full_size}"
        return self._cache / "times" / f"{hashlib.sha256(known.encode()).hexdigest()[:32]}.json"

    def _original(self) -> bytes:
        """Return the original's weights: those that came with the data, else those trained here."""
        if self._data.original is not None:
            return self._data.original
        trained = read_npz(Task("original").result(self._results))
        state = {name.removeprefix(STATE): one for name, one in trained.items() if name.startswith(STATE)}
        return npz_bytes(state)

    def _full_size(self) -> str:
        return self._untrained(enlarged(self._data))

    def _untrained(self, data: PublicData) -> str:
        """Store a reference to run on but not to grade by: it has no retrained models' outputs."""
        facts = json.dumps(sandbox_facts(self.config, self._dataset), indent=1, sort_keys=True).encode()
        seen = {
            "model.py": data.model,
            "material.json": facts,
            "material.npz": npz_bytes(data.arrays),
            "original.npz": self._original(),
        }
        hidden = {f"test_{kind}": data.arrays[f"val_{kind}"] for kind in ("images", "labels")}
        return self._store(seen, npz_bytes(hidden), npz_bytes({}))

    def _reference(self, n_models: int) -> tuple[str, float | None]:
        """Store a reference with N retrained models, and N more for the ceiling, all trained here on public data.

        Return its digest, and what retraining itself scores.
        """
        evaluation = self.config.evaluation.model_copy(update={"models": n_models})
        config = self.config.model_copy(update={"evaluation": evaluation})
        built = build("public", self._folder, config, self._dataset, self._results)
        files = built.files
        seen = {
            name.removeprefix("sandbox/"): one for name, one in files.items() if name.startswith("sandbox/")
        }
        seen |= {"original.npz": self._original()}
        digest = self._store(seen, files["hidden.npz"], files["outputs.npz"])
        return digest, built.facts["retraining"]["score"]

    def _store(self, seen: dict[str, bytes], hidden: bytes, outputs: bytes) -> str:
        """Put a reference's files and manifest where the device finds them; all is public, so runs may have a log."""
        both = {f"{folder}/{name}": one for folder in ("sandbox", "smoke") for name, one in seen.items()}
        files = both | {"hidden.npz": hidden, "outputs.npz": outputs}
        listed = {name: self._storage.put(one) for name, one in files.items()}
        return self._storage.put(json.dumps({"files": listed}, sort_keys=True).encode())
