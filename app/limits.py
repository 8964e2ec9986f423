"""Bounds on what happens at once, or too often; each is kept in the memory of this process."""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import BoundedSemaphore, Lock

from app.errors import Busy, LetheError, TooManyAttempts


class Gate:
    """Lets `places` in at once and `waiting` more stand for `patience` seconds; the rest hear Busy at once."""

    def __init__(self, places: int, waiting: int, patience: float, words: str) -> None:
        self._places = BoundedSemaphore(places)
        self._hall = BoundedSemaphore(places + waiting)
        self._patience = patience
        self._words = words

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Hold a place. Raises Busy when none comes free in time."""
        if not self._hall.acquire(blocking=False):
            raise self._busy()
        try:
            if not self._places.acquire(timeout=self._patience):
                raise self._busy()
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._hall.release()

    def _busy(self) -> Busy:
        return Busy(self._words, advice="Try again in a few seconds.", retry_after=5)


class Turns:
    """Counts what each person has under way; who has `most` already is answered with `refusal(most)`.

    With `most_of_all`, no more than so many are under way of all people together; then `full()` is the answer.
    """

    def __init__(
        self,
        most: int,
        refusal: Callable[[int], LetheError],
        *,
        most_of_all: int | None = None,
        full: Callable[[], LetheError] | None = None,
    ) -> None:
        self._most = most
        self._refusal = refusal
        self._most_of_all = most_of_all
        self._full = full
        self._held: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Hold one of a person's turns. Raises the refusal when all are taken."""
        with self._lock:
            if self._held[key] >= self._most:
                raise self._refusal(self._most)
            if self._full is not None and self._held.total() >= (self._most_of_all or 0):
                raise self._full()
            self._held[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[key] -= 1
                if not self._held[key]:
                    del self._held[key]


class FailureLimit:
    """At most `limit` failures for a key in a rolling window; of all keys, the `most_keys` that failed last."""

    def __init__(
        self,
        limit: int,
        window: timedelta,
        most_keys: int = 10_000,
        *,
        words: str = "Too many attempts to sign in have failed.",
    ) -> None:
        self._limit = limit
        self._window = window
        self._words = words
        self._most_keys = most_keys
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = Lock()

    def begin(self, key: str, now: datetime) -> None:
        """Count an attempt as a failure until it is taken back. Raises TooManyAttempts, then nothing is counted."""
        with self._lock:
            times = self._failures.setdefault(key, deque())
            while times and times[0] <= now - self._window:
                times.popleft()
            if len(times) >= self._limit:
                seconds = int((times[0] + self._window - now).total_seconds()) + 1
                raise TooManyAttempts(
                    self._words,
                    advice=f"Wait {-(-seconds // 60)} min, then try again.",
                    retry_after=seconds,
                )
            times.append(now)
            self._failures.move_to_end(key)
            while len(self._failures) > self._most_keys:
                self._failures.popitem(last=False)

    def take_back(self, key: str, now: datetime) -> None:
        """Uncount the attempt of this moment: it did not fail."""
        with self._lock:
            times = self._failures.get(key)
            if times is not None and now in times:
                times.remove(now)
                if not times:
                    del self._failures[key]
