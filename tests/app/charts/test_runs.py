"""Bars of the runs' times, against the cutoff or against each run's own."""

import pytest

from app.charts import runs as charts
from app.competitions import Publish
from app.schemas.submissions import RunOut
from app.status import RunStatus


def run(index, seconds, cutoff, reason=None):
    status = RunStatus.FAILED if reason else RunStatus.SUCCEEDED
    return RunOut.rounded(
        Publish(),
        seed_index=index,
        status=status,
        seconds=seconds,
        cutoff_seconds=cutoff,
        device="CPU",
        reason=reason,
        losses=0,
    )


WAITS = RunOut.rounded(
    Publish(),
    seed_index=3,
    status=RunStatus.QUEUED,
    seconds=None,
    cutoff_seconds=None,
    device=None,
    reason=None,
    losses=0,
)


def test_there_is_no_chart_while_no_run_has_ended():
    assert charts.run_times([WAITS], 2.0) is None


def test_runs_of_one_cutoff_are_bars_of_seconds_below_its_line():
    chart = charts.run_times([run(0, 1.0, 4.0), run(1, 2.0, 4.0), WAITS], 3.0)
    assert (chart.cutoff, chart.slowest, chart.closest, chart.over) == (4.0, 2.0, 0.5, 0)
    assert [bar.height for bar in chart.bars] == pytest.approx(
        [(chart.bottom - chart.cutoff_y) * share for share in (0.25, 0.5)], abs=0.02
    )
    assert [tick.value for tick in chart.ticks] == [0.0, 2.0]


def test_runs_of_different_cutoffs_are_bars_of_each_ones_own_share():
    chart = charts.run_times([run(0, 1.0, 4.0), run(1, 6.0, 8.0), run(2, 2.0, 2.0, "over_cutoff")], 3.0)
    assert (chart.cutoff, chart.slowest, chart.closest, chart.over) == (None, 6.0, 1.0, 1)
    assert [bar.height for bar in chart.bars] == pytest.approx(
        [(chart.bottom - chart.cutoff_y) * share for share in (0.25, 0.75, 1.0)], abs=0.02
    )
    assert [bar.cutoff for bar in chart.bars] == [4.0, 8.0, 2.0]
    assert [tick.value for tick in chart.ticks] == [0.0, 0.5]


def test_a_run_from_before_each_had_its_own_cutoff_stands_by_the_nominal_one():
    assert charts.run_times([run(0, 1.0, None)], 2.0).cutoff == 2.0


def test_no_bar_reaches_out_of_the_chart():
    chart = charts.run_times([run(0, 9.0, 2.0), run(1, 1.0, 2.0)], 2.0)
    assert all(bar.y >= charts.TOP for bar in chart.bars)


def test_of_many_runs_neighbours_share_a_bar_as_high_as_the_slowest():
    runs = [run(index, 1.0 + (index == 7), 4.0) for index in range(512)]
    chart = charts.run_times(runs, 4.0)
    assert len(chart.bars) <= charts.MOST_BARS
    assert (chart.bars[1].seed_index, chart.bars[1].last_index, chart.bars[1].seconds) == (6, 11, 2.0)
    assert (chart.ended, chart.grouped) == (512, True)
    assert max(bar.x + bar.width for bar in chart.bars) <= chart.right
