"""How many event streams a person may hold open at once in one process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from app.errors import LetheError

PER_PERSON = 5


class TooManyStreams(LetheError):  # noqa: N818 - named like its siblings in app.errors
    """This person follows as many submissions as they may."""

    status = 429
    code = "too_many_streams"
    title = "You follow too many submissions at once"


class Streams:
    """The streams that are open now, by person."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def place(self, user_id: str) -> Iterator[None]:
        """Hold one of a person's places. Raises TooManyStreams when all are taken."""
        with self._lock:
            if self._open[user_id] >= PER_PERSON:
                raise TooManyStreams(
                    f"{PER_PERSON} streams of yours are open already.",
                    advice="Close a page or program that follows a submission, or poll instead.",
                    retry_after=5,
                )
            self._open[user_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[user_id] -= 1
                if not self._open[user_id]:
                    del self._open[user_id]
