"""Which of two submissions is better, as far as their scores can tell. Pure.

Where the scores of both on the same halves of the models may be used, the interval of their difference is the paired one
that places on the board rest on. Where only what is published may be used, it comes from both published intervals as if
they knew nothing of each other; retrained models are common to both, so that it is rather too wide.
"""

import math
from dataclasses import dataclass
from typing import Literal

from app import ranking
from app.competitions import Publish
from app.ranking import Estimate

Method = Literal["paired", "published"]
Verdict = Literal["first", "second", "tied", "unknown"]
PAIRED = "by the same halves of the models in both"
PUBLISHED = (
    "by the two published intervals, which takes no account of what both have in common: rather too wide"
)
OTHER_REFERENCE = "They were scored under different references, and such scores do not compare."
OTHER_GRADER = "Different versions of the grader scored them, and such scores do not compare."
NO_INTERVAL = "There are no intervals to tell by: too few models, or an older grader."
NO_SCORE = "One of them lacks the score by which this competition ranks."


@dataclass(frozen=True)
class Side:
    """One submission: the score that ranks with its published interval, and what it was made under."""

    score: float | None
    low: float | None
    high: float | None
    reference: str
    grader: str
    replicates: tuple[float | None, ...] | None
    """Of the same score on halves of the models; None where they may not be used."""


@dataclass(frozen=True)
class Difference:
    """First less second; the interval is 95 %, and None where nothing is known of it."""

    value: float | None
    low: float | None
    high: float | None
    method: Method | None
    verdict: Verdict
    words: str


def compare(first: Side, second: Side, publish: Publish) -> Difference:
    """Say which is better, or that it cannot be told.

    >>> sides = [Side(score, score - 0.01, score + 0.01, "r", "2", None) for score in (0.3, 0.2)]
    >>> found = compare(*sides, Publish())
    >>> found.verdict, found.method
    ('first', 'published')
    """
    if first.score is None or second.score is None:
        return _unknown(None, NO_SCORE)
    if first.reference != second.reference:
        return _unknown(None, OTHER_REFERENCE)
    value = first.score - second.score
    if first.grader != second.grader:
        return _unknown(value, OTHER_GRADER)
    half, method = _half(first, second)
    if half is None or method is None:
        return _unknown(value, NO_INTERVAL)
    equal = publish.score(first.score) == publish.score(second.score)
    verdict: Verdict = "tied" if equal or abs(value) <= half else "first" if value > 0 else "second"
    return Difference(value, value - half, value + half, method, verdict, _words(verdict, method))


def _half(first: Side, second: Side) -> tuple[float | None, Method | None]:
    """Return half of the interval of the difference, and how it was come by."""
    if first.replicates and second.replicates:
        ours, theirs = (
            Estimate(one.score or 0.0, one.replicates or (), one.grader) for one in (first, second)
        )
        half = ranking.reach(ours, theirs)
        if half is not None:
            return half, "paired"
    ends = (first.low, first.high, second.low, second.high)
    if None in ends:
        return None, None
    halves = [((one.high or 0.0) - (one.low or 0.0)) / 2 for one in (first, second)]
    return math.hypot(*halves), "published"


def _unknown(value: float | None, why: str) -> Difference:
    return Difference(value, None, None, None, "unknown", why)


def _words(verdict: Verdict, method: Method) -> str:
    how = PAIRED if method == "paired" else PUBLISHED
    if verdict == "tied":
        return f"The 95 % interval of the difference holds 0 ({how})."
    return f"The 95 % interval of the difference leaves out 0 ({how})."
