"""Order and tie bands."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app import competitions, flags, ranking
from app.competitions import Publish
from app.ranking import Candidate, Estimate, student
from grader import comparison, integrity, intervals

NOW = datetime(2026, 3, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FOUR = Publish()


def best(candidates, publish=FOUR):
    return ranking.best(candidates, publish)


def places(ordered, publish=FOUR):
    return ranking.places(ordered, publish)


def separated(first, second, publish=FOUR):
    return ranking.separated(first, second, publish)


def entry(name, score, minutes=0):
    return Candidate(name, f"{name}{minutes}", NOW + minutes * MINUTE, score)


def test_each_participant_stands_once_with_their_best():
    found = best([entry("ada", 0.2), entry("eve", 0.3), entry("ada", 0.5, 1), entry("ada", 0.1, 2)])
    assert [(one.who, one.score) for one in found] == [("ada", 0.5), ("eve", 0.3)]


def test_equal_scores_stand_in_the_order_of_submission():
    found = best([entry("late", 0.5, 9), entry("early", 0.5, 1), entry("early", 0.5, 10)])
    assert [one.submission_id for one in found] == ["early1", "late9"]


def test_ones_best_is_the_earliest_of_those_that_are_equal_as_published():
    found = best([entry("ada", 0.50001, 5), entry("ada", 0.50004, 9), entry("ada", 0.49996, 1)])
    assert [one.submission_id for one in found] == ["ada1"]


def test_what_is_published_more_coarsely_ties_more():
    close = [entry("ada", 0.512, 5), entry("eve", 0.508, 1)]
    two = Publish(score_decimals=2)
    assert [one.who for one in best(close)] == ["ada", "eve"]
    assert [one.who for one in best(close, two)] == ["eve", "ada"]
    rows = [Estimate(0.512), Estimate(0.508)]
    assert [place.band for place in places(rows)] == [1, 2]
    assert [place.band for place in places(rows, two)] == [1, 1]


@pytest.mark.parametrize("score", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_never_ranks(score):
    assert best([entry("ada", score), entry("eve", 0.0)]) == [entry("eve", 0.0)]


def test_nobody_makes_an_empty_board():
    assert best([]) == places([]) == []


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.floats(0, 1), st.integers(0, 5)),
        unique_by=lambda e: (e[0], e[2]),
    ),
    st.randoms(),
)
def test_the_order_of_entries_does_not_matter(rows, random):
    entries = [entry(*row) for row in rows]
    assert best(entries) == best(random.sample(entries, len(entries)))
    scores = [FOUR.score(one.score) for one in best(entries)]
    assert scores == sorted(scores, reverse=True)


def test_a_chain_of_neighbours_that_are_not_separated_is_one_band():
    noise = [-0.01, 0.01] * 8
    rows = [
        Estimate(score, [score + sign * one for one in noise])
        for score, sign in ((0.5, 1), (0.47, -1), (0.44, 1))
    ]
    assert not separated(rows[0], rows[1])
    assert [place.band for place in places(rows)] == [1, 1, 1]
    assert [place.band for place in places([*rows, Estimate(0.2, [0.2] * 16)])] == [1, 1, 1, 2]


def test_without_intervals_only_equal_scores_share_a_band():
    found = places([Estimate(0.5), Estimate(0.4), Estimate(0.40001), Estimate(0.3)])
    assert [(place.rank, place.band, place.first, place.last) for place in found] == [
        (1, 1, 1, 1),
        (2, 2, 2, 3),
        (3, 2, 2, 3),
        (4, 3, 4, 4),
    ]


def test_scores_seen_through_different_halves_are_not_compared():
    noisy = [0.1, 0.9] * 10
    assert not separated(Estimate(0.5, noisy, "2"), Estimate(0.4, noisy[::-1], "2"))
    assert separated(Estimate(0.5, noisy, "2"), Estimate(0.4, noisy[::-1], "1"))
    assert separated(Estimate(0.5, noisy, "2"), Estimate(0.4, noisy[:-1], "2"))
    assert separated(Estimate(0.5, noisy, "2"), Estimate(0.4, (), "2"))


@given(
    st.integers(0, 2**32 - 1),
    st.floats(-0.05, 0.05),
    st.sampled_from([10, 32, intervals.DRAWS]),
    st.integers(0, 20),
)
def test_the_separation_is_the_graders(seed, gap, draws, unknown):
    rng = np.random.default_rng(seed)
    ours, theirs = rng.normal(0.3, 0.05, size=(2, draws))
    ours[rng.permutation(draws)[: min(unknown, draws - ranking.LEAST_DRAWS)]] = np.nan
    expected = comparison.difference(0.3 + gap, ours, 0.3, theirs)
    kept = [None if math.isnan(one) else one for one in ours]
    if FOUR.score(0.3 + gap) != FOUR.score(0.3):
        found = separated(Estimate(0.3 + gap, kept), Estimate(0.3, theirs.tolist()))
        assert found == expected.separated


@pytest.mark.parametrize("freedom", [9, 15, 31, 63, 127, 1000])
def test_students_quantile_is_scipys(freedom):
    assert student(freedom) == pytest.approx(stats.t.ppf((1 + ranking.LEVEL) / 2, freedom), abs=2e-5)


def test_the_service_knows_the_graders_levels_limits_and_flags():
    assert ranking.LEVEL == intervals.LEVEL
    assert competitions.LEAST_CALIBRATED_MODELS == intervals.MIN_MODELS
    assert intervals.DRAWS >= ranking.LEAST_DRAWS
    assert set(flags.FLAGS) == set(integrity.MESSAGES)


def test_a_flag_that_this_version_does_not_know_is_named_by_its_code():
    assert [one.name for one in flags.flags_of(["odd_one", "clipped", "odd_one"])] == ["clipped", "odd one"]


@pytest.mark.parametrize(
    ("without", "word"), [(0, "2-4"), (1, "Scores without an interval"), (3, "no intervals here")]
)
def test_the_tie_rule_says_what_it_rests_on(without, word):
    assert word in ranking.tie_rule(3, without, 1)
    assert ranking.tie_rule(0, 0, 0) == ranking.TIES


def test_scores_of_several_graders_are_told_apart_where_there_are_intervals():
    assert ranking.tie_rule(3, 0, 2) == f"{ranking.TIES} {ranking.OTHER_GRADER}"
    assert ranking.tie_rule(3, 1, 2) == f"{ranking.TIES} {ranking.SOME_TIES} {ranking.OTHER_GRADER}"
    assert ranking.tie_rule(3, 3, 2) == ranking.NO_TIES
