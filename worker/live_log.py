"""What a smoke run has printed so far: told by the thread that watches it, shown by the one that keeps its lease."""

from app import evaluations
from app.db import UnitOfWork
from app.evaluations import Claim
from app.logs import readable
from worker.sandbox.base import Log


class LiveLog:
    """The newest of one run; each heartbeat shows it where it has changed, so that it costs no transaction of its own."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._newest: Log | None = None
        self._shown: Log | None = None

    def printed(self, log: Log) -> None:
        """Take note of what there is by now; it never waits."""
        self._newest = log

    def show(self, session: UnitOfWork) -> None:
        """Write it in a heartbeat's transaction, which a run that is lent anew does not let pass."""
        newest = self._newest
        if newest is None or newest == self._shown:
            return
        evaluations.show_printed(session, self._claim, readable(newest.text))
        session.after_commit(lambda: self._is_shown(newest))

    def _is_shown(self, log: Log) -> None:
        self._shown = log
