"""Calls that are tried again while the service does not answer."""

from collections.abc import Callable
from typing import TypeVar

from cli.clock import Clock
from cli.errors import TryAgainError
from cli.text import duration

ATTEMPTS = 5
LONGEST_WAIT = 60.0
"""A Retry-After beyond this many seconds is left to the person."""

T = TypeVar("T")


def with_retries(call: Callable[[], T], clock: Clock, tell: Callable[[str], None]) -> T:
    """Call until it is answered: up to five times, as far apart as the service asks, or 1, 2, 4 and 8 seconds.

    Only for calls that may be repeated without harm.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return call()
        except TryAgainError as error:
            wait = error.facts.get("retry_after", 2.0 ** (attempt - 1))
            if attempt == ATTEMPTS or wait > LONGEST_WAIT:
                raise
            tell(f"{error.message} Trying again in {duration(wait)} (attempt {attempt + 1} of {ATTEMPTS}).")
            clock.sleep(wait)
    raise AssertionError("the last attempt returns or raises")
