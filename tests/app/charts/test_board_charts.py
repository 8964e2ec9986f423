"""Scores down the board, the front, and best scores over time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from app.charts import front, places, progress
from app.charts.front import Entry
from app.charts.places import Score
from app.charts.progress import Climb, Step

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def test_scores_lie_between_the_ends_of_their_intervals():
    chart = places.places([Score("a", 0.9, 0.8, 1.0, "own", "1"), Score("b", 0.5, 0.4, 0.6, "entry", "2")])
    first, second = chart.rows
    assert first.x == pytest.approx((first.start + first.end) / 2, abs=0.1)
    assert (second.y - first.y, second.start > places.LEFT, first.end < places.RIGHT) == (
        places.ROW,
        True,
        True,
    )
    assert chart.baseline_x is None


def test_a_score_without_an_interval_is_a_mark_alone_and_one_score_has_a_place():
    chart = places.places([Score("a", 0.5, None, None, "entry", "1")])
    assert (chart.rows[0].start, chart.rows[0].end) == (None, None)
    assert places.LEFT < chart.rows[0].x < places.RIGHT


def test_long_names_are_cut_in_the_picture_alone():
    [row] = places.places([Score("x" * 40, 0.5, None, None, "entry", "1")]).rows
    assert (len(row.name), len(row.score.label)) == (places.NAME, 40)


def test_the_front_holds_whom_nobody_beats_on_both_sides():
    entries = [
        Entry("high", 0.8, 0.9),
        Entry("both", 0.9, 0.8),
        Entry("beaten", 0.85, 0.7),
        Entry("able", 1.0, 0.1),
    ]
    chart = front.chart(entries, Entry("Retraining", 1.0, 1.0, "baseline"))
    assert [(point.letter, point.entry.label) for point in chart.front] == [
        ("A", "high"),
        ("B", "both"),
        ("C", "able"),
    ]
    assert [point.letter for point in chart.points if point.entry.label in ("beaten", "Retraining")] == [
        "",
        "",
    ]
    assert chart.words.startswith("3 of 4 entries are on the front")


def test_more_utility_lies_to_the_right_and_more_forgetting_above():
    left, right = front.chart([Entry("a", 0.8, 0.9), Entry("b", 0.9, 0.8)]).points
    assert (left.x < right.x, left.y < right.y) == (True, True)


def test_of_many_points_the_first_are_drawn_and_the_front_always():
    many = [Entry(f"e{index}", 0.5, 0.5) for index in range(400)] + [Entry("last", 0.9, 0.1)]
    chart = front.chart([Entry("first", 0.6, 0.6), *many])
    assert len(chart.points) == front.MOST + 1
    assert "last" in {point.entry.label for point in chart.front}
    assert chart.left_out == 402 - len(chart.points)


def climb(user, *steps, own=False, rank=1):
    return Climb(user, rank, own, [Step(T0 + timedelta(hours=hours), score) for hours, score in steps])


def test_a_climb_is_a_staircase_until_now():
    chart = progress.progress([climb("ada", (0, 0.2), (12, 0.4))], T0 + timedelta(hours=24))
    frame = progress.FRAME
    middle = (frame.left + frame.right) / 2
    [line] = chart.lines
    assert line.path.startswith(f"M{frame.left:g} ")
    assert f"H{middle:g}V" in line.path
    assert line.path.endswith(f"H{frame.right:g}")
    assert line.label == "1 ada"
    assert [tick.label for tick in chart.x_ticks] == ["01 Mar 00:00", "02 Mar 00:00"]


def test_labels_of_equal_scores_do_not_lie_on_each_other():
    chart = progress.progress(
        [climb(name, (0, 0.5), rank=rank) for rank, name in enumerate("abcdefghij", 1)], T0
    )
    labels = sorted(line.label_y for line in chart.lines)
    assert min(b - a for a, b in pairwise(labels)) >= progress.LABEL_GAP - 0.1
    assert progress.FRAME.top <= labels[0] <= labels[-1] <= progress.FRAME.bottom
    assert len({line.dashes for line in chart.lines}) == len(progress.DASHES)


def test_without_a_score_there_is_no_progress():
    assert progress.progress([climb("ada")], T0) is None
