"""The estimate against queues that are simulated run by run."""

import heapq
import random
from statistics import median

import pytest

from app.estimates import Pace, Range, Work, in_words, pace, rounded, until_done

CPU, ANY = frozenset({"cpu"}), frozenset({"cpu", "cuda"})
SECOND = Pace(1.0, 1.0, 1.0, 10)


def work(waiting, running=0, run=SECOND, scoring=None, devices=CPU):
    return Work(waiting, running, run, scoring, devices)


def simulated(queue, workers, chance, draw, scoring):
    """Play a queue of (runs, speed) with so many workers; return when its last submission has its score."""
    free = [0.0] * workers
    for runs, speed in queue:
        ends = []
        for _ in range(runs):
            end = heapq.heappop(free) + speed * draw(chance)
            heapq.heappush(free, end)
            ends.append(end)
        scored = max(ends) + scoring
        free.remove(max(ends))  # whoever records the last run scores
        heapq.heapify(free)
        heapq.heappush(free, scored)
    return scored


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_most_simulated_queues_end_within_the_estimate(workers):
    chance, within, widths = random.Random(workers), 0, []
    for _ in range(200):
        queue = [(chance.choice((4, 8, 32)), 1.0) for _ in range(chance.randint(1, 6))]

        def draw(chance):
            return chance.lognormvariate(0.0, 0.35)

        measured = pace([draw(chance) for _ in range(60)])
        scoring = Pace(2.0, 2.0, 2.0, 5)
        *before, mine = [work(runs, run=measured, scoring=scoring) for runs, _ in queue]
        found = until_done(mine, before, {"cpu": workers})
        within += found.low <= simulated(queue, workers, chance, draw, 2.0) <= found.high
        widths.append(found.high / found.low)
    assert within >= 190
    assert median(widths) < 3.5  # and is not so wide that it says nothing


def test_a_run_that_takes_long_on_one_worker_is_within_the_estimate_too():
    found = until_done(work(3, run=Pace(10.0, 10.0, 10.0, 9)), [work(40)], {"cpu": 4})
    assert found.low <= 20 <= found.high


def test_with_nobody_before_one_worker_takes_as_long_as_the_runs_and_the_scoring():
    found = until_done(work(4, scoring=Pace(2.0, 2.0, 2.0, 1)), [], {"cpu": 1})
    assert found == Range(6.0, 6.0)


def test_what_waits_for_other_devices_does_not_count():
    alone = until_done(work(4), [], {"cpu": 1, "cuda": 1})
    assert until_done(work(4), [work(100, devices=frozenset({"cuda"}))], {"cpu": 1, "cuda": 1}) == alone


def test_the_low_end_supposes_that_other_classes_help_and_the_high_end_that_they_do_not():
    found = until_done(work(2), [work(10, devices=ANY)], {"cpu": 1, "cuda": 1})
    assert found.low <= 7
    assert found.high >= 12


def test_runs_in_hand_count_in_full_at_the_high_end_and_not_at_the_low():
    found = until_done(work(1), [work(0, running=1)], {"cpu": 1})
    assert found == Range(1.0, 2.0)


def test_what_is_being_scored_waits_for_nothing_but_that():
    mine = work(0, scoring=Pace(2.0, 5.0, 5.0, 7))
    assert until_done(mine, [work(50, running=3)], {}) == Range(2.0, 5.0)


def test_nobody_at_work_is_no_estimate():
    assert until_done(work(4), [], {"cuda": 3}) is None
    assert until_done(work(4), [], {"cpu": 0}) is None


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.4, 3, "less than 5 s"),
        (12, 44, "10 to 45 s"),
        (61, 130, "1 to 2.5 min"),
        (61, 299, "1 to 5 min"),
        (700, 1250, "10 to 25 min"),
        (3500, 9000, "55 min to 2.5 h"),
        (0, 0, "less than 5 s"),
    ],
)
def test_a_range_is_said_in_round_numbers_that_hold_it(low, high, words):
    found = rounded(Range(low, high))
    assert found.low <= low
    assert found.high >= high
    assert in_words(found.low, found.high) == words
