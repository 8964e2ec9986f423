"""When a submission will be done, from what has been measured. Pure: seconds in, seconds out.

A worker takes one run at a time, in the queue's order, and is busy with it from the moment it takes it until the run
is recorded: that is what was measured, so it holds every overhead. What lies before a submission is work; workers
share it. The low end supposes that all runs are as quick as the quickest quarter and that workers never wait; the high
end that all are as slow as the slowest quarter, that runs in hand have only just begun, and that one worker has the
last run alone, as slow as any that was measured (the bound of list scheduling). Nobody can foresee who comes next and goes first, or what fails early.

What is said is rounded to steps of at least five seconds, coarser than any competition publishes seconds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

LEAST_MEASURED = 3
"""Fewer runs say nothing of how they spread."""
NOTHING_MEASURED = "no estimate yet: no run has been timed here"
NO_WORKER = "no estimate: no worker that may take it is at work now"
_STEPS = ((60, 5), (600, 30), (3600, 300))
_LAST_STEP = 1800


@dataclass(frozen=True)
class Pace:
    """For how many seconds a run, or a scoring, keeps a worker: quartiles of what was measured, and the longest."""

    low: float
    high: float
    longest: float
    measured: int


@dataclass(frozen=True)
class Work:
    """What workers of some classes of devices have still to do for one submission."""

    waiting: int  # runs that nobody has taken
    running: int  # runs in hand
    run: Pace
    scoring: Pace | None  # None where it was never measured
    devices: frozenset[str]


@dataclass(frozen=True)
class Range:
    """Seconds from now, at least and at most."""

    low: float
    high: float


def pace(seconds: Sequence[float]) -> Pace | None:
    """Return the quartiles of what was measured; None for less than three.

    >>> pace([1.0, 2.0, 3.0, 4.0, 5.0]), pace([1.0, 2.0])
    (Pace(low=2.0, high=4.0, longest=5.0, measured=5), None)
    """
    if len(seconds) < LEAST_MEASURED:
        return None
    low, _, high = quantiles(seconds, n=4, method="inclusive")
    return Pace(low, high, max(seconds), len(seconds))


def until_done(mine: Work, before: Sequence[Work], workers: Mapping[str, int]) -> Range | None:
    """Return when `mine` is done if only `before` goes first; None while no worker takes it.

    `workers` says how many of each class are at work. `before` also holds runs in hand of whoever comes later.
    """
    if not mine.waiting + mine.running:  # it is being scored
        return Range(*_scoring(mine))
    rivals = [one for one in before if one.devices & mine.devices]
    highs = [_high(mine, rivals, device, workers) for device in sorted(mine.devices) if workers.get(device)]
    return Range(_low(mine, rivals, workers), min(highs)) if highs else None


def _low(mine: Work, rivals: Sequence[Work], workers: Mapping[str, int]) -> float:
    """All is as quick as it may be, and every worker that may help does."""
    own = sum(workers.get(device, 0) for device in mine.devices)
    helping = mine.devices.union(*(one.devices for one in rivals))
    everybody = sum(workers.get(device, 0) for device in helping)
    shared = sum(one.waiting * one.run.low + _scoring(one)[0] for one in rivals if one.waiting) / everybody
    rounds = math.ceil(mine.waiting / own)
    return max(shared + mine.waiting * mine.run.low / own, rounds * mine.run.low) + _scoring(mine)[0]


def _high(mine: Work, rivals: Sequence[Work], device: str, workers: Mapping[str, int]) -> float:
    """All is as slow as it may be, and workers of one class do all that they may."""
    count = workers[device]
    here = [one for one in rivals if device in one.devices]
    load = sum((one.waiting + one.running) * one.run.high + _scoring(one)[1] for one in here)
    load += (mine.waiting + mine.running) * mine.run.high
    longest = max(one.run.longest for one in (mine, *here)) if load else 0.0
    return (load + (count - 1) * longest) / count + _scoring(mine)[1]


def _scoring(work: Work) -> tuple[float, float]:
    return (0.0, 0.0) if work.scoring is None else (work.scoring.low, work.scoring.high)


def rounded(found: Range) -> Range:
    """Return a range that does not pretend to more than it knows, outwards to whole steps.

    >>> rounded(Range(3.2, 21.0)), rounded(Range(95.0, 700.0))
    (Range(low=0, high=25), Range(low=90, high=900))
    """
    low, high = _step(found.low), _step(found.high)
    return Range(low * math.floor(found.low / low), high * max(1, math.ceil(found.high / high)))


def _step(seconds: float) -> int:
    return next((step for below, step in _STEPS if seconds < below), _LAST_STEP)


def in_words(low: float, high: float) -> str:
    """Return a rounded range as people say it.

    >>> in_words(0, 25), in_words(90, 900), in_words(3600, 9000), in_words(10, 60)
    ('less than 25 s', '1.5 to 15 min', '1 to 2.5 h', '10 s to 1 min')
    """
    if low <= 0:
        return f"less than {' '.join(_said(high))}"
    (first, unit), (last, last_unit) = _said(low), _said(high)
    return f"{first} to {last} {unit}" if unit == last_unit else f"{first} {unit} to {last} {last_unit}"


def _said(seconds: float) -> tuple[str, str]:
    if seconds < 60:
        return f"{seconds:g}", "s"
    return (
        (f"{seconds / 60:g}", "min") if seconds < 3600 else (f"{seconds / 3600:.1f}".removesuffix(".0"), "h")
    )
