"""Where a competition is in its life, from its times and the clock. Pure.

upcoming -> open -> finals -> revealed: nothing but the clock leads to the first three; revealing is somebody's act.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

GRACE = timedelta(minutes=11)
"""After the close final entries are not taken yet: an upload that began in time may still arrive. None lasts longer."""


class Phase(StrEnum):
    """What a competition is about."""

    UPCOMING = "upcoming"
    OPEN = "open"
    FINALS = "finals"  # closed to submissions; final entries are evaluated on the private split
    REVEALED = "revealed"  # the private leaderboard is everybody's to see

    @property
    def is_closed(self) -> bool:
        """Whether submissions are taken no more."""
        return self in {Phase.FINALS, Phase.REVEALED}


ORDER = (Phase.OPEN, Phase.UPCOMING, Phase.FINALS, Phase.REVEALED)
"""In which lists show them: first where something can be done."""


class Times(NamedTuple):
    """What decides the phase, in UTC."""

    opens_at: datetime
    closes_at: datetime
    revealed_at: datetime | None = None


def phase_of(times: Times, now: datetime) -> Phase:
    """Return the phase at a moment: the one that begins at a time has begun at that time.

    >>> from datetime import UTC
    >>> times = Times(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    >>> phase_of(times, datetime(2026, 1, 1, tzinfo=UTC)), phase_of(times, datetime(2026, 2, 1, tzinfo=UTC))
    (<Phase.OPEN: 'open'>, <Phase.FINALS: 'finals'>)
    """
    if times.revealed_at is not None:
        return Phase.REVEALED
    if now < times.opens_at:
        return Phase.UPCOMING
    return Phase.OPEN if now < times.closes_at else Phase.FINALS


def next_at(times: Times, now: datetime) -> datetime | None:
    """Return when the clock leads to the next phase; None where no clock does."""
    phase = phase_of(times, now)
    return {Phase.UPCOMING: times.opens_at, Phase.OPEN: times.closes_at}.get(phase)


def what_next(phase: Phase, final_entries: int, *, automatic: bool) -> str:
    """Say what happens next, in one or two sentences."""
    chosen = "your final entry" if final_entries == 1 else f"up to {final_entries} final entries"
    taken = "entry is" if final_entries == 1 else "entries are"
    reveal = (
        "the results are revealed as soon as that has ended"
        if automatic
        else "an organiser reveals the results"
    )
    return {
        Phase.UPCOMING: "Submissions are taken from then on.",
        Phase.OPEN: f"Until then, choose {chosen}. After the close everybody's final {taken} evaluated on the "
        f"private split, and {reveal}.",
        Phase.FINALS: f"No more submissions are taken. Final entries are evaluated on the private split, which decides; "
        f"then {reveal}.",
        Phase.REVEALED: "The private leaderboard decides. It changes only where an organiser or admin has an entry graded again, "
        "disqualifies or reinstates one, each with a reason that is kept.",
    }[phase]
