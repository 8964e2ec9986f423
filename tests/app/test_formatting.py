from datetime import UTC, datetime, timedelta

import pytest

from app.formatting import duration, iso, relative, size

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (-4, "just now"),
        (-59, "59 seconds ago"),
        (-60, "1 minute ago"),
        (3599, "in 59 minutes"),
        (3600, "in 1 hour"),
        (86_400, "in 1 day"),
        (-400 * 86_400, "1 year ago"),
    ],
)
def test_distances_in_time_read_as_people_say_them(seconds, words):
    assert relative(NOW + timedelta(seconds=seconds), NOW) == words


def test_lengths_sizes_and_machine_times_keep_one_form():
    assert [duration(s) for s in (0, 59.96, 60, 3600)] == ["0.00 s", "60.0 s", "1 min 00 s", "1 h 00 min"]
    assert [size(n) for n in (0, 999, 1000, 1_500_000, 2_000_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1 kB",
        "1.5 MB",
        "2 GB",
    ]
    assert iso(NOW) == "2026-03-01T12:00:00Z"
