"""Words and tables for people, in plain text that reads the same in a terminal, a log and a pipe."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def clean(text: object) -> str:
    r"""Replace what could move the cursor or change colours: names and notes come from other people.

    >>> clean("a\x1b[2Jb\nc")
    'a?[2Jb c'
    """
    words = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def clean_lines(text: str) -> str:
    r"""Do the same to each line of a longer text, and keep its lines, tabs and spaces.

    >>> clean_lines("a\x1b[2J  b\n\tc\n")
    'a?[2J  b\n\tc\n'
    """
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)


def say(message: str) -> None:
    """Tell the person at the terminal, on stderr, so that stdout holds data alone."""
    click.echo(clean(message), err=True)


def number(value: Any, decimals: int = 4) -> str:
    """Write a fixed number of decimals, or a dash.

    >>> number(0.08), number(None)
    ('0.0800', '-')
    """
    return f"{value:.{decimals}f}" if isinstance(value, int | float) else "-"


def reach(low: Any, high: Any, decimals: int = 4) -> str:
    """Write half of an interval, or a dash; scores that are all the same, such as 0, have none.

    >>> reach(0.08, 0.1), reach(None, None), reach(0.0, 0.0)
    ('0.0100', '-', '-')
    """
    known = isinstance(low, int | float) and isinstance(high, int | float) and high > low
    return number((high - low) / 2, decimals) if known else "-"


def seconds(value: Any, decimals: int = 2) -> str:
    """Write seconds to the digits that the pages show, `decimals` at most, or a dash.

    >>> seconds(2.754), seconds(13.72), seconds(None)
    ('2.75', '13.7', '-')
    """
    return number(value, decimals if isinstance(value, int | float) and value < 10 else min(1, decimals))


def decimals_of(answer: dict[str, Any], what: str) -> int:
    """Return to how many decimals the competition of an answer publishes its "score" or "seconds".

    >>> decimals_of({"decimals": {"score": 2, "seconds": 0}}, "score"), decimals_of({}, "seconds")
    (2, 2)
    """
    found = (answer.get("decimals") or {}).get(what)
    return found if isinstance(found, int) else {"score": 4, "seconds": 2}[what]


def moment(value: Any, now: datetime | None = None) -> str:
    """Write an ISO time as UTC to the minute, and how far it is from `now`; what is no such time is shown as it came.

    >>> moment("2026-03-01T12:34:56+02:00")
    '2026-03-01 10:34 UTC'
    >>> moment("2026-03-01T12:34:56Z", datetime(2026, 3, 1, 9, tzinfo=UTC))
    '2026-03-01 12:34 UTC (in 3 hours)'
    """
    try:
        when = datetime.fromisoformat(str(value))
    except ValueError:
        return clean(value)
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return f"{when:%Y-%m-%d %H:%M} UTC" + (f" ({relative(when, now)})" if now else "")


def relative(when: datetime, now: datetime) -> str:
    """Write how far a time is from now, in whole units.

    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> relative(datetime(2026, 3, 4, tzinfo=UTC), noon), relative(datetime(2026, 3, 1, 11, 59, tzinfo=UTC), noon)
    ('in 2 days', '1 minute ago')
    """
    gap = (when - now).total_seconds()
    length, unit = next((one for one in _UNITS if abs(gap) >= one[0]), _UNITS[-1])
    words = plural(int(abs(gap) // length), unit)
    return f"in {words}" if gap > 0 else f"{words} ago"


def size(n_bytes: int) -> str:
    """Write bytes in the unit that reads best.

    >>> size(950), size(4_200_000)
    ('950 B', '4.2 MB')
    """
    if n_bytes < 1000:
        return f"{n_bytes} B"
    return f"{n_bytes / 1000:.1f} kB" if n_bytes < 1_000_000 else f"{n_bytes / 1_000_000:.1f} MB"


def duration(seconds: float) -> str:
    """Write seconds in the two units that read best.

    >>> duration(7), duration(90), duration(11000)
    ('7 s', '1 min 30 s', '3 h 3 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plural(count: int, noun: str) -> str:
    """Write a count and its noun.

    >>> plural(1, "file"), plural(3, "file")
    ('1 file', '3 files')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Draw columns two spaces apart; those named in `right` are aligned to the right."""
    cells = [[clean(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = []
    for row in cells:
        padded = (
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(header, row, widths, strict=True)
        )
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Draw names and values, one pair a line."""
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"{name.ljust(width)}  {clean(value)}" for name, value in pairs)
