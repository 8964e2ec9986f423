"""Time as an argument, so that tests of waiting do not wait."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import click


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """A clock in seconds, from an arbitrary start, a way to let it pass, and the time of day."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _now


pass_clock = click.make_pass_decorator(Clock, ensure=True)
