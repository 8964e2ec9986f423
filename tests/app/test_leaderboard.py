"""The leaderboard from the database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app import evaluations, leaderboard, ranking, registry, submissions
from app.db import read_only, unit_of_work
from app.evaluations import RunOutcome
from app.views import boards
from tests.app.conftest import DAY, FAILURE, NOW, SCORE, make_config

MINUTE = timedelta(minutes=1)


def board(world, now=NOW + 60 * MINUTE):
    with read_only(world.engine) as session:
        return leaderboard.board(session, registry.get_competition(session, "digits"), now).rows


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
    assert (first.place.rank, first.entry.user_name, first.entry.score, first.entries) == (1, "eve", 0.7, 1)
    assert (second.place.rank, second.entry.user_name, second.entry.submission_id) == (2, "ada", best)
    assert (second.entries, second.last_at, second.median_seconds) == (2, NOW + MINUTE, 2.0)
    assert second.entry.retain_ratio == pytest.approx(0.9)


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
    assert [row.entry.score for row in board(world)] == [0.4]


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
    assert [(row.entry.user_name, row.entry.score) for row in board(world)] == [("ada", 0.2)]


def test_a_rerun_under_a_reference_that_was_replaced_meanwhile_leaves_the_ranked_score(world, ada, admin):
    submission, evaluation = world.submission(ada)
    world.score(evaluation, 0.9)
    prepare_again(world, "other")
    late = rerun(world, submission, admin)
    prepare_again(world, "digits-public")
    world.score(late, 0.2)
    assert [row.entry.score for row in board(world)] == [0.9]


def test_the_board_as_it_stood_earlier_leaves_out_what_came_later(world, ada):
    world.score(world.submission(ada)[1], 0.2)
    world.score(world.submission(ada, at=NOW + MINUTE)[1], 0.4, NOW + MINUTE)
    (row,) = board(world, NOW)
    assert (row.entry.score, row.entries, row.last_at) == (0.2, 1, NOW)


NOISE = [-0.01, 0.01] * 16


def rank_by(world, by):
    with unit_of_work(world.engine) as session:
        config = make_config(evaluation={"ranking": by, "models": 32})
        registry.register(session, config, {"overview": "# Hello"}, NOW)


def enter(world, name, official, calibrated=None, replicates=None, version="1", at=NOW):
    """Enter a score for somebody, with the same noise on every half unless given."""
    kept = {
        "official": replicates or [official + one for one in NOISE],
        "calibrated": [(calibrated or 0.0) + one for one in NOISE],
    }
    score = replace(
        SCORE,
        grader_version=version,
        score=official,
        calibrated_score=calibrated,
        interval=(official - 0.02, official + 0.02),
        calibrated_interval=None if calibrated is None else (calibrated - 0.1, calibrated + 0.1),
        replicates=kept,
        flags=("ties",),
    )
    _, evaluation = world.submission(world.user(name), at=at)
    for claim in world.claim(limit=100, at=at):
        world.record(claim, at=at)
    assert world.finish(world.scoring_claim(evaluation, at), score, at)


def test_neighbours_whose_difference_may_be_chance_share_a_band(world):
    enter(world, "ada", 0.5)
    enter(world, "bea", 0.4, replicates=[0.4 - one for one in NOISE])  # 0.1 +- 0.02 * 2.04 * 1.02
    enter(world, "eve", 0.38)  # 0.02 +- 0.04
    rows = board(world)
    assert [(row.entry.user_name, row.place.band) for row in rows] == [("ada", 1), ("bea", 2), ("eve", 2)]
    assert [(row.place.rank, row.place.first, row.place.last) for row in rows] == [
        (1, 1, 1),
        (2, 2, 3),
        (3, 2, 3),
    ]


def test_the_configuration_says_which_score_ranks_and_shows_the_other(world):
    enter(world, "ada", 0.5, 0.7)
    enter(world, "bea", 0.4, 0.9)
    assert [row.entry.user_name for row in board(world)] == ["ada", "bea"]
    rank_by(world, "calibrated")
    first, second = (row.entry for row in board(world))
    assert (first.user_name, first.score, first.official_score, first.calibrated_score) == (
        "bea",
        0.9,
        0.4,
        0.9,
    )
    assert (first.low, first.high) == pytest.approx((0.8, 1.0))
    assert (second.user_name, second.flags) == ("ada", ["ties"])


def test_a_submission_without_the_score_that_ranks_is_counted_and_not_ranked(world):
    enter(world, "ada", 0.5, None)
    enter(world, "bea", 0.4, 0.9)
    rank_by(world, "calibrated")
    with read_only(world.engine) as session:
        found = leaderboard.board(session, registry.get_competition(session, "digits"), NOW)
    assert ([row.entry.user_name for row in found.rows], found.without_score) == (["bea"], 1)


def test_scores_of_two_grader_versions_are_not_compared_half_by_half(world):
    enter(world, "ada", 0.4)
    enter(world, "bea", 0.4 - 1e-3, replicates=[0.39 - one for one in NOISE])
    enter(world, "eve", 0.4 - 2e-3, replicates=[0.38 - one for one in NOISE], version="2")
    assert [row.place.band for row in board(world)] == [1, 1, 2]
    with read_only(world.engine) as session:
        rule = boards.board(session, "digits", NOW).tie_rule
    assert ranking.OTHER_GRADER in rule


def test_only_current_scores_are_on_the_board(world, ada):
    _, evaluation = world.submission(ada)
    world.score(evaluation, 0.3)
    staged = replace(SCORE, grader_version="9", score=0.9)
    with unit_of_work(world.engine) as session:
        session.add(evaluations.row_of(evaluation, "d" * 64, staged, NOW, current=False))
    assert [row.entry.score for row in board(world)] == [0.3]
