"""Bounds on what happens at once or too often."""

from datetime import timedelta

import pytest

from app.errors import Busy, TooManyAttempts, TooManyUploads
from app.limits import FailureLimit, Gate, Turns
from app.uploads import too_many
from tests.app.conftest import NOW

MINUTE = timedelta(minutes=1)


def test_failures_are_forgotten_as_the_window_rolls_on():
    limit = FailureLimit(2, 5 * MINUTE)
    limit.begin("ada", NOW)
    limit.begin("ada", NOW + MINUTE)
    with pytest.raises(TooManyAttempts) as caught:
        limit.begin("ada", NOW + 2 * MINUTE)
    assert caught.value.retry_after == 181
    limit.begin("grace", NOW + 2 * MINUTE)
    limit.begin("ada", NOW + 5 * MINUTE)
    with pytest.raises(TooManyAttempts):
        limit.begin("ada", NOW + 5 * MINUTE)


def test_an_attempt_that_succeeds_is_taken_back():
    limit = FailureLimit(1, MINUTE)
    for _ in range(3):
        limit.begin("ada", NOW)
        limit.take_back("ada", NOW)
    limit.take_back("nobody", NOW)
    assert not limit._failures


def test_only_the_keys_that_failed_last_are_remembered():
    limit = FailureLimit(1, MINUTE, most_keys=100)
    for number in range(1000):
        limit.begin(str(number), NOW)
    assert len(limit._failures) == 100
    with pytest.raises(TooManyAttempts):
        limit.begin("999", NOW)


def test_a_gate_sends_away_at_once_who_can_neither_enter_nor_wait():
    gate = Gate(places=1, waiting=0, patience=60.0, words="Full.")
    with gate.enter(), pytest.raises(Busy, match="Full"), gate.enter():
        pass
    with gate.enter():
        pass


def test_a_gate_sends_away_who_has_waited_long_enough():
    gate = Gate(places=1, waiting=1, patience=0.01, words="Full.")
    with gate.enter(), pytest.raises(Busy), gate.enter():
        pass
    with gate.enter():
        pass


def test_turns_are_counted_for_each_person_and_given_back():
    turns = Turns(1, too_many)
    with turns.hold("ada"), turns.hold("grace"), pytest.raises(TooManyUploads), turns.hold("ada"):
        pass
    with turns.hold("ada"):
        pass
    assert not turns._held
