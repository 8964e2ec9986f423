"""Numbers, sizes and times as people read them. Pure; used as filters by the templates."""

from datetime import UTC, datetime

_STEPS = ((60, "second"), (60, "minute"), (24, "hour"), (365, "day"), (10_000, "year"))


def utc(moment: datetime) -> str:
    """Return a moment as '2026-01-31 09:05 UTC'."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def iso(moment: datetime) -> str:
    """Return a moment in the machine-readable form of <time datetime>."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def relative(moment: datetime, now: datetime) -> str:
    """Return the distance to now in words: '3 minutes ago', 'in 2 hours', 'just now'.

    >>> now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> relative(datetime(2026, 1, 1, 9, tzinfo=UTC), now), relative(datetime(2026, 1, 3, 12, tzinfo=UTC), now)
    ('3 hours ago', 'in 2 days')
    """
    gap = (moment - now).total_seconds()
    amount = abs(gap)
    if amount < 5:
        return "just now"
    unit = "second"
    for size, name in _STEPS:
        unit = name
        if amount < size:
            break
        amount /= size
    whole = int(amount)
    words = f"{whole} {unit}{'' if whole == 1 else 's'}"
    return f"in {words}" if gap > 0 else f"{words} ago"


def clock(moment: datetime, now: datetime) -> str:
    """Return the time of day, and the date unless it is today's: '09:05:12 UTC', '2026-01-31 09:05 UTC'."""
    day = moment.astimezone(UTC)
    return f"{day:%H:%M:%S} UTC" if day.date() == now.astimezone(UTC).date() else utc(moment)


def duration(seconds: float, digits: int = 2) -> str:
    """Return a length of time: '0.42 s', '12.3 s', '4 min 05 s', '2 h 10 min'; `digits` after the point at most.

    >>> duration(0.421), duration(0.421, 0), duration(245), duration(7800)
    ('0.42 s', '0 s', '4 min 05 s', '2 h 10 min')
    """
    if seconds < 10:
        return f"{seconds:.{digits}f} s"
    if seconds < 60:
        return f"{seconds:.{min(1, digits)}f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(count: int) -> str:
    """Return a number of bytes: '812 bytes', '1.2 MB'.

    >>> size(812), size(10_000_000)
    ('812 bytes', '10 MB')
    """
    if count < 1000:
        return f"{count} bytes"
    amount = float(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 1000 or unit == "GB":
            return f"{amount:.1f}".removesuffix(".0") + f" {unit}"
    raise AssertionError("unreachable")


def fixed(value: float, digits: int = 4) -> str:
    """Return a score with fixed decimals, so that columns line up."""
    return f"{value:.{digits}f}"


def percent(value: float) -> str:
    """Return a share as '97.3 %'."""
    return f"{100 * value:.1f} %"
