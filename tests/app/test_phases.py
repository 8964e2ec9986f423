"""Phases from the clock alone."""

from datetime import UTC, datetime, timedelta

import pytest

from app.phases import ORDER, Phase, Times, next_at, phase_of, what_next

OPENS, CLOSES = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
TIMES = Times(OPENS, CLOSES)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now", "phase", "following"),
    [
        (OPENS - SECOND, Phase.UPCOMING, OPENS),
        (OPENS, Phase.OPEN, CLOSES),
        (CLOSES - SECOND, Phase.OPEN, CLOSES),
        (CLOSES, Phase.FINALS, None),
        (CLOSES + timedelta(days=99), Phase.FINALS, None),
    ],
)
def test_the_clock_leads_through_the_phases_and_each_begins_at_its_time(now, phase, following):
    assert phase_of(TIMES, now) is phase
    assert next_at(TIMES, now) == following


def test_only_a_reveal_ends_the_final_evaluation():
    revealed = TIMES._replace(revealed_at=CLOSES + SECOND)
    assert phase_of(revealed, CLOSES + 2 * SECOND) is Phase.REVEALED
    assert next_at(revealed, CLOSES + 2 * SECOND) is None


def test_a_time_in_another_zone_is_the_same_moment():
    there = datetime.fromisoformat("2026-02-01T09:00:00+09:00")
    assert phase_of(TIMES, there) is Phase.FINALS
    assert phase_of(TIMES, there - SECOND) is Phase.OPEN


def test_every_phase_has_a_name_a_place_and_a_word_on_what_comes_next():
    assert set(ORDER) == set(Phase)
    for phase in Phase:
        for automatic in (False, True):
            assert what_next(phase, 2, automatic=automatic).endswith(".")
    assert "an organiser reveals" in what_next(Phase.FINALS, 2, automatic=False)
    assert "an organiser" not in what_next(Phase.FINALS, 2, automatic=True)
    assert "up to 3 final entries" in what_next(Phase.OPEN, 3, automatic=True)
    assert "your final entry" in what_next(Phase.OPEN, 1, automatic=True)
