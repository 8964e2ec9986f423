"""What `lethe local` says at the end: in the service's words, and in its shapes for scripts."""

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from app.competitions import CompetitionConfig
from app.flags import flags_of
from app.reasons import REASONS
from cli.client.api import JsonObject
from cli.participant.show import score_facts
from cli.text import facts, seconds

if TYPE_CHECKING:
    from app.evaluations import NewScore

STAGES = {
    "door": "refused at the door, before any run",
    "full_size": "in a run on the public data, repeated to the size of the hidden data",
    "smoke": "in the smoke run, on the public data",
    "runs": "in one of the runs on the public data",
    "scoring": "in scoring",
    "done": "",
}


@dataclass
class Report:
    """What has been found so far; it is filled in as the rehearsal goes on."""

    config: CompetitionConfig
    source: str
    sandbox: str
    seed: int
    n_runs: int
    stage: str = "door"
    verdict: str = ""
    code: str | None = None
    detail: str = ""
    log: str | None = None
    retrain_seconds: float | None = None
    cutoff_seconds: float | None = None
    full_size_seconds: float | None = None
    seconds: tuple[float, ...] = field(default_factory=tuple)
    score: JsonObject | None = None

    @property
    def scored(self) -> bool:
        """Whether there is a score."""
        return self.score is not None

    def reason(self) -> JsonObject | None:
        """Return why there is no score, as the API says it."""
        if self.code is None:
            return None
        known = REASONS[self.code]
        cause = self.detail or known.cause
        return {"code": known.code, "cause": cause, "advice": known.advice, "fault": known.fault.value}

    def to_dict(self) -> JsonObject:
        """Return one object for a script."""
        return {
            "competition": self.config.slug,
            "public_data": self.source,
            "sandbox": self.sandbox,
            "seed": self.seed,
            "runs": self.n_runs,
            "verdict": self.verdict,
            "stage": self.stage,
            "reason": self.reason(),
            "score": self.score,
            "decimals": self._decimals(),
            "retrain_seconds": self.retrain_seconds,
            "cutoff_seconds": self.cutoff_seconds,
            "full_size_seconds": self.full_size_seconds,
            "seconds": list(self.seconds),
            "log": self.log,
        }

    def words(self) -> str:
        """Return it for a person."""
        pairs = [("verdict", self.verdict.replace("_", " ") + self._where())]
        if (reason := self.reason()) is not None:
            pairs += [("reason", f"{reason['code']}: {reason['cause']}"), ("what to do", reason["advice"])]
        pairs += score_facts({"score": self.score, "decimals": self._decimals()})
        pairs += self._times()
        return facts(pairs)

    def _where(self) -> str:
        where = STAGES[self.stage]
        return f", {where}" if where else f", {self.n_runs} runs on public data"

    def _times(self) -> list[tuple[str, str]]:
        pairs = []
        if self.cutoff_seconds is not None:
            pairs.append(("cutoff here", f"{seconds(self.cutoff_seconds)} s"))
        if self.full_size_seconds is not None:
            assert self.cutoff_seconds is not None
            share = self.full_size_seconds / self.cutoff_seconds
            pairs.append(
                ("at full size", f"{seconds(self.full_size_seconds)} s a run, {share:.0%} of the cutoff")
            )
        if self.seconds:
            pairs.append(
                (
                    "on public data",
                    f"median {seconds(median(self.seconds))} s, longest {seconds(max(self.seconds))} s",
                )
            )
        return pairs

    def _decimals(self) -> JsonObject:
        publish = self.config.publish
        return {"score": publish.score_decimals, "seconds": publish.seconds_decimals}


def score_of(found: "NewScore", config: CompetitionConfig, retraining: float | None) -> JsonObject:
    """Return a score in the shape of the API's, rounded as the competition publishes."""
    low, high = found.interval or (None, None)
    calibrated_low, calibrated_high = found.calibrated_interval or (None, None)
    numbers: dict[str, float | None] = {
        "score": found.score,
        "interval_low": low,
        "interval_high": high,
        "calibrated_score": found.calibrated_score,
        "calibrated_low": calibrated_low,
        "calibrated_high": calibrated_high,
        "forgetting_quality": found.forgetting_quality,
        "retain_ratio": found.retain_ratio,
        "test_ratio": found.test_ratio,
        "retraining_score": retraining,
    }
    flags: list[dict[str, Any]] = [
        {"code": one.code, "name": one.name, "meaning": one.meaning} for one in flags_of(found.flags)
    ]
    rounded = config.publish.score
    return {
        "ranked_by": config.evaluation.ranking,
        **{name: None if one is None else rounded(one) for name, one in numbers.items()},
        "flags": flags,
        "summary": None
        if found.summary is None
        else {name: None if one is None else rounded(one) for name, one in found.summary.items()},
        "grader_version": found.grader_version,
    }
