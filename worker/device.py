"""One device: its sandboxes, and the split in hand. Runs bundles and judges what they return; knows no database."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.competitions import CompetitionConfig
from app.errors import NotFound
from app.evaluations import Claim, FinishedRun, NewScore, NextUp, RunLog, RunOutcome, ScoringClaim
from app.settings import Settings
from app.status import RunKind, Verdict
from app.storage import Storage
from worker import calibration_bundle, weights
from worker.fingerprint import Fingerprint, fingerprint
from worker.material import fetch
from worker.outputs import ModelFailed, NotFiniteLogits, Split
from worker.sandbox.base import Job, Limits, Log, RunResult, SandboxSpec, untold
from worker.sandbox.pool import Pool
from worker.scoring import score_runs

_TRIAL = bytes(1 << 20)
LOG_BYTES = 64 << 10
"""How much of what a smoke run prints is kept."""


class Device:
    """Where runs happen. Whatever it raises is our own fault, never a participant's."""

    def __init__(self, storage: Storage, pool: Pool, settings: Settings) -> None:
        self._storage = storage
        self._pool = pool
        self._cache = settings.data_dir / "cache"
        self._name = settings.device
        self._current: tuple[str, Split] | None = None

    def run(
        self,
        claim: Claim,
        config: CompetitionConfig,
        should_stop: Callable[[], bool],
        printed: Callable[[Log], None] = untold,
    ) -> RunOutcome | None:
        """Return how the run ended, or None if it was killed because `should_stop` said so.

        `printed` hears what a smoke run prints while it goes on; see Job.
        """
        split = self._split(claim.reference_digest)
        bundle, smoke = self._storage.get(claim.bundle_digest), claim.kind is RunKind.SMOKE
        # the one place that lets a log out: together with the folder that holds public data alone
        log_bytes, material = (LOG_BYTES, split.smoke) if smoke else (0, split.sandbox)
        job = Job(bundle, claim.seed, claim.cutoff_seconds, log_bytes, printed)
        result = self._play(spec_for(split, config, self._name, material), job, should_stop)
        if result.verdict is Verdict.CANCELLED:
            return None
        return self._smoked(split, result) if smoke else self._judge(split, result)

    def fingerprint(self, config: CompetitionConfig) -> Fingerprint:
        """Return what decides how fast a competition's runs are here."""
        return fingerprint(config.sandbox, self._name, self._pool.identity)

    def retrain(
        self, reference: NextUp, seed: int, cutoff_seconds: float, should_stop: Callable[[], bool]
    ) -> RunResult:
        """Retrain a reference's model as a participant's run would; what comes of it but the seconds is dropped."""
        split = self._split(reference.reference_digest)
        job = Job(calibration_bundle.bundle(), seed, cutoff_seconds)
        spec = spec_for(split, reference.config, self._name)
        return replace(self._play(spec, job, should_stop), output=b"")

    def score(self, claim: ScoringClaim, finished: Sequence[FinishedRun]) -> NewScore | None:
        """Grade the stored outputs of runs; None when they cannot be scored."""
        return score_runs(finished, self._storage, self._split(claim.reference_digest))

    def storage_works(self, reference_digest: str) -> bool:
        """Try to store, read and cache something of some size, and to read a manifest that must be there."""
        try:
            self._storage.get(self._storage.put(_TRIAL))
            self._storage.get(reference_digest)
            with tempfile.TemporaryFile(dir=self._cache) as file:
                file.write(_TRIAL)
        except (OSError, NotFound):  # an empty mount point has nothing, and takes what it is given
            return False
        return True

    def _play(self, spec: SandboxSpec, job: Job, should_stop: Callable[[], bool]) -> RunResult:
        sandbox = self._pool.take(spec)
        try:
            return sandbox.run(job, should_stop)
        finally:
            sandbox.close()

    def _smoked(self, split: Split, result: RunResult) -> RunOutcome:
        """Judge the form of what a smoke run left, and keep what it printed; its weights meet no hidden data."""
        log = result.log or Log()
        kept = RunLog(self._storage.put(log.text), log.dropped_bytes)
        if result.verdict is not None:
            return RunOutcome(result.seconds, verdict=result.verdict, reason=result.reason, log=kept)
        try:
            weights.read(result.output, split.layout)
        except weights.InvalidWeights as error:
            return replace(_invalid(result, error.code), log=kept)
        return RunOutcome(result.seconds, log=kept)

    def _judge(self, split: Split, result: RunResult) -> RunOutcome:
        if result.verdict is not None:
            return RunOutcome(result.seconds, verdict=result.verdict, reason=result.reason)
        try:
            outputs = split.measure(weights.read(result.output, split.layout))
        except weights.InvalidWeights as error:
            return _invalid(result, error.code)
        except NotFiniteLogits:
            return _invalid(result, "not_finite_logits")
        except ModelFailed:
            return _invalid(result, "model_failed")
        return RunOutcome(result.seconds, outputs_digest=self._storage.put(outputs.to_bytes()))

    def _split(self, reference_digest: str) -> Split:
        """Return the split in hand; a device keeps one at a time in memory."""
        if self._current is None or self._current[0] != reference_digest:
            material = fetch(self._storage, reference_digest, self._cache)
            self._current = (reference_digest, Split(material, self._name))
        return self._current[1]


def _invalid(result: RunResult, reason: str) -> RunOutcome:
    return RunOutcome(result.seconds, verdict=Verdict.INVALID_OUTPUT, reason=reason)


def spec_for(
    split: Split, config: CompetitionConfig, device: str, material: Path | None = None
) -> SandboxSpec:
    """Return what a sandbox is started with; it sees the split's own folder unless another is given."""
    limits = Limits(
        memory_bytes=config.sandbox.memory_mb * 2**20,
        processes=config.sandbox.processes,
        tmp_bytes=config.sandbox.tmp_mb * 2**20,
        output_bytes=weights.payload_bytes(split.layout),
        threads=config.sandbox.threads,
    )
    return SandboxSpec(material or split.sandbox, limits, device)
