"""Histogram, curve and bands: where things lie, against places worked out by hand."""

import pytest

from app.charts import examples, histogram, roc
from app.charts.scale import SMALL
from app.schemas.plots import EpsilonBar, RocPoint, TellingExample


def bars(unlearned, retrained=None):
    """Bars of width 0.5, then those without points and at the cap."""
    last = len(unlearned) - 1
    edges = [*(0.5 * index for index in range(last)), 50.0, None]
    return [
        EpsilonBar(
            low=edges[index],
            high=edges[index + 1],
            points=0.0 if index >= last - 1 else 2.0**-index,
            unlearned=share,
            retrained=None if retrained is None else retrained[index],
        )
        for index, share in enumerate(unlearned)
    ]


def test_bars_are_as_high_as_their_shares():
    chart = histogram.histogram(["Yours"], [bars([0.0, 0.5, 0.25, 0.25])])
    [drawn] = chart.series
    height = (SMALL.bottom - SMALL.top) / 1.06
    assert [bar.height for bar in drawn] == pytest.approx([height, height / 2, height / 2], abs=0.1)
    slot = (SMALL.right - SMALL.left) / 4
    assert drawn[0].x == pytest.approx(SMALL.left + slot * 1.08, abs=0.1)
    assert all(bar.y + bar.height == pytest.approx(SMALL.bottom) for bar in drawn)
    assert chart.ceiling == ""


def test_two_submissions_stand_side_by_side_in_each_slot():
    chart = histogram.histogram(["A", "B"], [bars([0.5, 0.25, 0.25]), bars([0.25, 0.5, 0.25])])
    first, second = (one[0] for one in chart.series)
    assert second.x == pytest.approx(first.x + first.width, abs=0.11)
    assert chart.rows[0].shares == (0.5, 0.25, None)


def test_retraining_is_a_staircase_over_the_whole_axis():
    chart = histogram.histogram(["Yours"], [bars([0.5, 0.5, 0.0], [1.0, 0.0, 0.0])])
    top = SMALL.bottom - (SMALL.bottom - SMALL.top) / 1.06
    assert chart.ceiling.startswith(
        f"M{SMALL.left:g} {top:.1f}H{SMALL.left + (SMALL.right - SMALL.left) / 3:.1f}V206"
    )
    assert chart.ceiling.endswith("H410")
    assert "retraining: 0 %" in chart.words


def test_submissions_of_different_edges_share_no_histogram():
    assert histogram.histogram(["A", "B"], [bars([1.0, 0.0, 0.0]), bars([1.0, 0.0, 0.0, 0.0])]) is None
    assert histogram.histogram(["A"], [[]]) is None


def test_words_say_how_many_examples_earn_nothing():
    assert (
        histogram.histogram(["Yours"], [bars([0.5, 0.3, 0.2])]).words
        == "Yours: 50 % of examples earn no points."
    )


def points(*pairs):
    return [RocPoint(false_positive_rate=rate, true_positive_rate=found) for rate, found in pairs]


def test_the_curve_lies_on_a_logarithmic_axis_and_its_low_rates_are_marked():
    chart = roc.roc(["Yours"], [points((0.0, 0.1), (0.001, 0.25), (0.01, 0.5), (1.0, 1.0))])
    third = (SMALL.right - SMALL.left) / 3
    marks = chart.lines[0].marks
    assert [mark.x for mark in marks] == pytest.approx([SMALL.left, SMALL.left + third], abs=0.1)
    assert marks[1].y == pytest.approx((SMALL.top + SMALL.bottom) / 2)
    assert [mark.label for mark in marks] == ["25 %", "50 %"]
    assert len(chart.rows) == 4, "a rate of 0 has no place on the axis, but one in the table"
    assert "finds 25 % at 0.1 % false alarms" in chart.words


def test_chance_meets_the_corner_and_curves_of_other_rates_are_not_drawn_together():
    chart = roc.roc(["A"], [points((0.01, 0.1), (1.0, 1.0))])
    assert chart.chance.endswith(f"L{SMALL.right:g} {SMALL.top:g}")
    assert roc.roc(["A", "B"], [points((0.01, 0.1)), points((0.02, 0.1))]) is None
    assert roc.roc(["A"], [[]]) is None


def test_bands_lie_between_their_quantiles_on_one_axis():
    one = TellingExample(example=7, epsilon=50, unlearned=[6, 7, 8, 9, 10], retrained=[0, 1, 2, 3, 4])
    chart = examples.examples([one])
    [row] = chart.rows
    unit = (examples.RIGHT - examples.LEFT) / 10
    assert (row.retrained.low, row.unlearned.high) == (examples.LEFT, examples.RIGHT)
    assert row.unlearned.middle == pytest.approx(examples.LEFT + 8 * unit, abs=0.1)
    assert row.unlearned.width == pytest.approx(2 * unit, abs=0.1)
    assert chart.words.startswith("On 1 of these 1 examples")
    assert examples.examples([]) is None
