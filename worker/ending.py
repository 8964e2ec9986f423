"""How a worker is told to stop: no new work at once, what runs within some seconds, or at once when told again."""

import threading
import time
from collections.abc import Callable


class Ending:
    """Asked by signal handlers and threads; asks nobody back.

    `drain_seconds` is how long a run in hand may go on after the first word.
    """

    def __init__(self, drain_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._drain_seconds = drain_seconds
        self._clock = clock
        self._asked = threading.Event()
        self._kill_at = float("inf")

    def ask(self) -> None:
        """Stop; the second word means at once."""
        self._kill_at = self._clock() + (float("-inf") if self.asked() else self._drain_seconds)
        self._asked.set()

    def asked(self) -> bool:
        """Tell whether no new work may be taken."""
        return self._asked.is_set()

    def over(self) -> bool:
        """Tell whether what still runs is to be killed and given back."""
        return self._clock() >= self._kill_at

    def wait(self, seconds: float) -> bool:
        """Sleep so long, or until asked; return whether it was asked."""
        return self._asked.wait(seconds)
