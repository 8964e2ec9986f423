"""Order, and tie bands: which neighbours could have come out the other way by chance. Pure.

The interval of a difference is the grader's (half-subsampling of models, paired: both scores were taken on the same
halves). It is written again here because the service imports neither the grader nor its libraries.

What is published is what ranks: an order must not say more about hidden data than the scores do.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import NormalDist

from app.competitions import Publish

LEVEL = 0.95
LEAST_DRAWS = 10
"""Fewer halves that both scores know say too little about the spread."""

TIES = (
    "Neighbours share a place, such as 2-4, while the 95 % interval of the difference between them holds 0; within a "
    "place, the higher score stands first, then the earlier submission."
)
NO_TIES = (
    "There are no intervals here, so only scores that are equal as published share a place, the earlier "
    "submission first."
)
SOME_TIES = "Scores without an interval share a place only when they are equal as published."
OTHER_GRADER = "Scores by different versions of the grader share a place only when equal as published."


@dataclass(frozen=True)
class Candidate:
    """What decides a submission's place."""

    who: str
    submission_id: str
    submitted_at: datetime
    score: float | None  # one that is None or not finite never ranks


@dataclass(frozen=True)
class Estimate:
    """A score, and the same score on halves of the models: on the same ones where `kind` is equal."""

    score: float
    replicates: Sequence[float | None] = ()
    kind: str = ""


@dataclass(frozen=True)
class Place:
    """A rank, the number of its tie band, and the ranks that the band spans."""

    rank: int
    band: int
    first: int
    last: int


def best(candidates: Iterable[Candidate], publish: Publish) -> list[Candidate]:
    """Return each person's or team's best candidate, best first, as `ordered` has them."""
    found: dict[str, Candidate] = {}
    for one in ordered(candidates, publish):
        found.setdefault(one.who, one)
    return list(found.values())


def ordered(candidates: Iterable[Candidate], publish: Publish) -> list[Candidate]:
    """Return the candidates that can rank, best first: by published score, then by the earlier submission."""
    ranked = [(one.score, one) for one in candidates if one.score is not None and math.isfinite(one.score)]
    ranked.sort(key=lambda pair: (-publish.score(pair[0]), pair[1].submitted_at, pair[1].submission_id))
    return [one for _, one in ranked]


def places(ordered: Sequence[Estimate], publish: Publish) -> list[Place]:
    """Return the place of each score, best first: one joins the band of the score above unless they are separated.

    >>> [place.band for place in places([Estimate(0.3), Estimate(0.2), Estimate(0.2)], Publish())]
    [1, 2, 2]
    """
    firsts: list[int] = []  # of each band, counted from 0
    for index, one in enumerate(ordered):
        if index == 0 or separated(ordered[index - 1], one, publish):
            firsts.append(index)
    return [
        Place(rank + 1, band, first + 1, end)
        for band, (first, end) in enumerate(pairwise([*firsts, len(ordered)]), start=1)
        for rank in range(first, end)
    ]


def tie_rule(rows: int, without_interval: int, graders: int) -> str:
    """Return in words how ties come about among rows of so many grader versions; some rows may have no replicates."""
    if rows and rows == without_interval:
        return NO_TIES
    some = [SOME_TIES] if without_interval else []
    mixed = [OTHER_GRADER] if graders > 1 else []
    return " ".join([TIES, *some, *mixed])


def separated(first: Estimate, second: Estimate, publish: Publish) -> bool:
    """Tell whether the 95 % interval of the difference leaves out 0. Equal published scores never are.

    Scores that do not know the same halves are separated whenever they differ: nothing is known of their spread.
    """
    if publish.score(first.score) == publish.score(second.score):
        return False
    half = reach(first, second)
    return half is None or abs(first.score - second.score) > half


def reach(first: Estimate, second: Estimate) -> float | None:
    """Return half of the 95 % interval of the difference; None where too few halves are known of both."""
    gaps = _gaps(first, second)
    return None if len(gaps) < LEAST_DRAWS else student(len(gaps) - 1) * _deviation(gaps)


def _gaps(first: Estimate, second: Estimate) -> list[float]:
    if first.kind != second.kind or len(first.replicates) != len(second.replicates):
        return []
    pairs = zip(first.replicates, second.replicates, strict=True)
    return [ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None]


def _deviation(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def student(freedom: int) -> float:
    """Return the quantile of Student's t that leaves LEVEL between -t and t; to 1e-4 from 9 degrees of freedom on.

    Abramowitz, Stegun: Handbook of Mathematical Functions, 26.7.5.

    >>> round(student(63), 4)
    1.9983
    """
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, start=1))
