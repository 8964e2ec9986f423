"""Ranking, pure and from the database."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import leaderboard, registry, submissions
from app.db import read_only, unit_of_work
from app.evaluations import RunOutcome
from app.leaderboard import Entry, rank
from tests.app.conftest import DAY, FAILURE, NOW

MINUTE = timedelta(minutes=1)


def entry(name, score, minutes=0):
    return Entry(name, f"{name}{minutes}", f"e{name}{minutes}", score, 0.5, 1.0, 1.0, NOW + minutes * MINUTE)


def test_each_participant_stands_once_with_their_best():
    places = rank([entry("ada", 0.2), entry("eve", 0.3), entry("ada", 0.5, 1), entry("ada", 0.1, 2)])
    assert [(place, e.user_name, e.score) for place, e in places] == [(1, "ada", 0.5), (2, "eve", 0.3)]


def test_a_tie_goes_to_the_earlier_submission():
    places = rank([entry("late", 0.5, 9), entry("early", 0.5, 1), entry("early", 0.5, 10)])
    assert [(place, e.submission_id) for place, e in places] == [(1, "early1"), (2, "late9")]


def test_nobody_makes_an_empty_board():
    assert rank([]) == []


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.floats(0, 1), st.integers(0, 5)),
        unique_by=lambda e: (e[0], e[2]),
    ),
    st.randoms(),
)
def test_the_order_of_entries_does_not_matter(rows, random):
    entries = [entry(*row) for row in rows]
    shuffled = random.sample(entries, len(entries))
    assert rank(entries) == rank(shuffled)
    scores = [e.score for _, e in rank(entries)]
    assert scores == sorted(scores, reverse=True)


def board(world, now=NOW + 60 * MINUTE):
    with read_only(world.engine) as session:
        return leaderboard.board(session, registry.get_competition(session, "digits"), now)


def test_the_board_shows_best_score_entries_last_time_and_median_seconds(world, ada):
    eve = world.user("eve")
    best, evaluation = world.submission(ada)
    for claim, seconds in zip(world.claim(limit=3), (1.0, 9.0, 2.0), strict=True):
        world.record(claim, RunOutcome(seconds, outputs_digest="d" * 64))
    assert world.finish(world.scoring_claim(evaluation))
    world.submission(ada, at=NOW + MINUTE)
    world.record(*world.claim(at=NOW + MINUTE), FAILURE)
    world.score(world.submission(eve, at=NOW + 2 * MINUTE)[1], 0.7, NOW + 2 * MINUTE)
    first, second = board(world)
    assert (first.rank, first.user_name, first.score, first.entries) == (1, "eve", 0.7, 1)
    assert (second.rank, second.user_name, second.submission_id) == (2, "ada", best)
    assert (second.entries, second.last_at, second.median_seconds) == (2, NOW + MINUTE, 2.0)
    assert second.retain_ratio == pytest.approx(0.9)


def test_only_published_public_scores_of_this_competition_count(world, ada, admin):
    world.competition("faces")
    world.score(world.submission(ada, "faces")[1])
    queued, _ = world.submission(ada)
    assert board(world) == []
    world.score(world.evaluation_of(queued), 0.2)
    for split in ("private", "public"):
        with unit_of_work(world.engine) as session:
            again = submissions.rerun(session, queued, split, admin, NOW, queue_due=DAY, seeds=[1, 2, 3]).id
        world.score(again, 0.4)
    assert [row.score for row in board(world)] == [0.4]


def prepare_again(world, digest):
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        registry.add_reference(session, competition, "public", digest.ljust(64, "0"), 3, 10.0, {}, NOW)


def rerun(world, submission, admin):
    with unit_of_work(world.engine) as session:
        return submissions.rerun(session, submission, "public", admin, NOW, queue_due=DAY, seeds=[1, 2, 3]).id


def test_a_score_under_an_older_reference_is_not_ranked_until_its_submission_is_rerun(world, ada, admin):
    submission, evaluation = world.submission(ada)
    world.score(evaluation, 0.9)
    world.score(world.submission(world.user("eve"))[1], 0.3)
    prepare_again(world, "other")
    assert board(world) == []
    world.score(rerun(world, submission, admin), 0.2)
    assert [(row.user_name, row.score) for row in board(world)] == [("ada", 0.2)]


def test_a_rerun_under_a_reference_that_was_replaced_meanwhile_leaves_the_ranked_score(world, ada, admin):
    submission, evaluation = world.submission(ada)
    world.score(evaluation, 0.9)
    prepare_again(world, "other")
    late = rerun(world, submission, admin)
    prepare_again(world, "digits-public")
    world.score(late, 0.2)
    assert [row.score for row in board(world)] == [0.9]


def test_the_board_as_it_stood_earlier_leaves_out_what_came_later(world, ada):
    world.score(world.submission(ada)[1], 0.2)
    world.score(world.submission(ada, at=NOW + MINUTE)[1], 0.4, NOW + MINUTE)
    (row,) = board(world, NOW)
    assert (row.score, row.entries, row.last_at) == (0.2, 1, NOW)
