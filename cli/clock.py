"""Time as an argument, so that tests of waiting do not wait."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import click


@dataclass(frozen=True)
class Clock:
    """A clock in seconds, from an arbitrary start, and a way to let it pass."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


pass_clock = click.make_pass_decorator(Clock, ensure=True)
