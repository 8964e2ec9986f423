"""What participants see of the hidden forget set: shares in steps, at fixed places."""

import random

import pytest

from app import plots
from app.competitions import Publish
from app.plots import RATES, Plots
from tests.grades import drawn_from


def stored(**values):
    return Plots.model_validate(drawn_from(random.Random(1)) | values)


@pytest.mark.parametrize(
    ("examples", "decimals", "step"),
    [(400, 4, 0.05), (100, 4, 0.05), (50, 4, 0.1), (20, 4, 0.25), (19, 4, None), (400, 1, 0.1), (0, 4, None)],
)
def test_a_step_is_five_percent_and_five_examples_at_least(examples, decimals, step):
    assert plots.step_of(examples, Publish(score_decimals=decimals)) == step


def test_a_handful_of_examples_that_move_between_bars_change_nothing_that_is_shown():
    one = plots.shares([100, 200, 100], 400, 0.05)
    other = plots.shares([103, 196, 101], 400, 0.05)
    assert one == other == [0.25, 0.5, 0.25]


def test_without_steps_shares_are_exact():
    assert plots.shares([1, 2, 1], 4, None) == [0.25, 0.5, 0.25]


def test_points_halve_with_each_bar_and_end_with_the_last_edge():
    assert plots.points_of([0.0, 0.5, 1.0, 1.5]) == [1.0, 0.5, 0.25, 0.0, 0.0]


def test_participants_see_the_curve_at_few_rates_and_in_steps():
    roc = stored().roc
    coarse = plots.curve(roc, 0.05)
    assert [rate for rate, _ in coarse] == list(RATES)
    assert all(abs(found / 0.05 - round(found / 0.05)) < 1e-9 for _, found in coarse)
    assert len(plots.curve(roc, None)) == len(roc.true_positive_rate)
