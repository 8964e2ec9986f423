"""Which of two is better: by paired halves where they are known, else by what is published."""

import math
import random

import pytest

from app import comparison, ranking
from app.comparison import Side
from app.competitions import Publish
from app.ranking import Estimate

PUBLISH = Publish()


def side(score, half=0.01, seed=None, reference="r", grader="2", spread=0.001):
    chance = random.Random(seed)
    kept = None if seed is None else tuple(score + chance.gauss(0, spread) for _ in range(48))
    low, high = (None, None) if half is None else (score - half, score + half)
    return Side(score, low, high, reference, grader, kept)


def test_known_halves_give_the_interval_by_which_places_on_the_board_are_made():
    first, second = side(0.3, seed=1), side(0.29, seed=2)
    found = comparison.compare(first, second, PUBLISH)
    estimates = [Estimate(one.score, one.replicates, one.grader) for one in (first, second)]
    half = ranking.reach(*estimates)
    assert (found.method, found.verdict) == ("paired", "first")
    assert (found.value, found.low, found.high) == pytest.approx((0.01, 0.01 - half, 0.01 + half))
    assert ranking.separated(*estimates, PUBLISH)


def test_what_both_have_in_common_cancels_where_halves_are_known():
    chance = random.Random(5)
    common = [chance.gauss(0, 0.05) for _ in range(48)]
    first, second = (
        Side(score, score - 0.1, score + 0.1, "r", "2", tuple(score + one for one in common))
        for score in (0.3, 0.2)
    )
    assert comparison.compare(first, second, PUBLISH).verdict == "first"
    blind = Side(0.2, 0.1, 0.3, "r", "2", None)
    assert comparison.compare(first, blind, PUBLISH).verdict == "tied"


def test_published_intervals_are_taken_as_if_independent():
    found = comparison.compare(side(0.3, 0.03), side(0.26, 0.04), PUBLISH)
    assert (found.method, found.verdict) == ("published", "tied")
    assert found.high - found.low == pytest.approx(2 * math.hypot(0.03, 0.04))


def test_the_second_may_be_better():
    assert comparison.compare(side(0.2), side(0.3), PUBLISH).verdict == "second"


def test_scores_that_are_equal_as_published_are_never_told_apart():
    first, second = side(0.30001, half=1e-9), side(0.30002, half=1e-9)
    assert comparison.compare(first, second, PUBLISH).verdict == "tied"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (side(0.1, reference="another"), comparison.OTHER_REFERENCE),
        (side(0.1, grader="1"), comparison.OTHER_GRADER),
        (side(0.1, half=None), comparison.NO_INTERVAL),
        (Side(None, None, None, "r", "2", None), comparison.NO_SCORE),
    ],
)
def test_what_does_not_compare_gets_no_verdict_and_says_why(other, words):
    found = comparison.compare(side(0.3), other, PUBLISH)
    assert (found.verdict, found.low, found.words) == ("unknown", None, words)
