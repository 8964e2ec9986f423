"""Bundles that say how they end, for sandboxes that only play; and bundles that end so in real ones."""

import io
import re
import zipfile
from collections.abc import Callable
from enum import StrEnum

from app.reasons import REASONS
from app.status import Verdict
from tests.bundles import zipped
from tests.chaos.armed import Armed
from worker.sandbox.base import Job, RunResult, SandboxFault

HEAD = "def unlearning(net, retain_loader, forget_loader, val_loader):\n"


class Plan(StrEnum):
    """What a submission comes to, if no fault or person is in its way."""

    SCORED = "scored"
    SLOW = "slow"  # scored, but there is time to do something meanwhile
    CRASHED = "raised"
    TIMED_OUT = "over_cutoff"
    OUT_OF_MEMORY = "memory_limit"

    @property
    def verdict(self) -> Verdict:
        """The verdict that is due."""
        return Verdict.SCORED if self in {Plan.SCORED, Plan.SLOW} else REASONS[self.value].verdict


SECONDS = {Plan.SCORED: 0.03, Plan.SLOW: 1.0}
REAL = {
    Plan.SCORED: "    pass\n",
    Plan.SLOW: "    import time\n    time.sleep(1)\n",
    Plan.CRASHED: "    raise ValueError('as planned')\n",
}


def bundle(plan: Plan, number: int) -> bytes:
    """Return a bundle with this plan, which no other number has."""
    body = REAL.get(plan, "    pass\n")
    return zipped(f"{HEAD}{body}# plan: {plan.value}, number {number}\n")


def plan_of(data: bytes) -> Plan:
    """Read a bundle's plan."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = re.search(r"# plan: (\w+)", archive.read("submission.py").decode())
    assert found is not None
    return Plan(found[1])


def behaviour(armed: Armed, output: bytes) -> Callable[[Job], RunResult]:
    """Return how runs go: as planned, unless a fault of the sandbox is armed."""

    def play(job: Job) -> RunResult:
        if armed.take("fails@sandbox"):
            raise SandboxFault("as armed")
        plan = plan_of(job.bundle)
        if plan.verdict is Verdict.SCORED:
            return RunResult(SECONDS[plan], output)
        return RunResult(0.03, verdict=plan.verdict, reason=plan.value)

    return play
