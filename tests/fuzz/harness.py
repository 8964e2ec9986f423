"""Feed mutated files to a target, tally what it says, and measure what it allocates."""

import random
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

MIB = 1 << 20


class Target(Protocol):
    """Something that reads untrusted bytes: `mutant` makes them, `read` returns what it was called, or raises."""

    name: str
    spare_bytes: int  # what a reader may allocate beyond the size of the file itself

    def mutant(self, rng: random.Random) -> bytes: ...

    def read(self, data: bytes) -> tuple[str, Callable[[], None]]:
        """Return "accepted" or a reason code, and a check that an independent reading agrees."""


@dataclass
class Tally:
    """What came of a target's files."""

    target: str
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    peak_bytes: int = 0  # the most that reading one file allocated beyond the file's own size

    @property
    def files(self) -> int:
        return self.outcomes.total()


class Failed(AssertionError):  # noqa: N818 - what became of a file
    """A file broke the property; the message names the seed and number that make it again."""


def fuzz(target: Target, files: int, seed: int) -> Tally:
    """Read so many mutants, each made from its own number alone. Raises Failed."""
    tally = Tally(target.name)
    began = time.monotonic()
    tracemalloc.start()
    try:
        for number in range(files):
            outcome, peak = _one(target, seed, number)
            tally.outcomes[outcome] += 1
            tally.peak_bytes = max(tally.peak_bytes, peak)
    finally:
        tracemalloc.stop()
    tally.seconds = time.monotonic() - began
    return tally


def again(target: Target, seed: int, number: int) -> bytes:
    """Make one mutant again."""
    return target.mutant(random.Random(f"{target.name} {seed} {number}"))


def _one(target: Target, seed: int, number: int) -> tuple[str, int]:
    data = again(target, seed, number)
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    try:
        outcome, check = target.read(data)
        _, peak = tracemalloc.get_traced_memory()
        check()
    except Exception as error:
        raise Failed(f"{target.name}, seed {seed}, number {number}: {error!r}") from error
    beyond = max(0, peak - before - len(data))
    if beyond > target.spare_bytes:
        raise Failed(f"{target.name}, seed {seed}, number {number}: {beyond:,} bytes beyond the file's own")
    return outcome, beyond


def table(tallies: list[Tally]) -> str:
    """Return the tallies as text, the commonest outcomes first."""
    lines = [f"{'target':<10}{'files':>9}{'accepted':>10}{'seconds':>9}{'peak KiB':>10}  refused by reason"]
    for tally in tallies:
        refused = [(code, count) for code, count in tally.outcomes.most_common() if code != "accepted"]
        reasons = ", ".join(f"{code} {count}" for code, count in refused)
        lines.append(
            f"{tally.target:<10}{tally.files:>9}{tally.outcomes['accepted']:>10}{tally.seconds:>9.1f}"
            f"{tally.peak_bytes / 1024:>10.0f}  {reasons}"
        )
    return "\n".join(lines)
