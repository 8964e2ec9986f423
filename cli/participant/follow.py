"""Following a submission to its end."""

import shlex

from cli.client.api import LONGEST_WAIT, Api, JsonObject, Polled
from cli.client.config import Connection
from cli.clock import Clock
from cli.errors import CliError, TryAgainError
from cli.exit_codes import ExitCode
from cli.progress import Watcher, watching

PATIENCE = 180.0
"""Seconds for which the service may be away, for example while it is restarted, before we give up."""


def resume_command(connection: Connection, submission_id: str) -> str:
    """Return the command that goes on following."""
    return f"lethe status {shlex.quote(submission_id)} --wait{connection.flags}"


def follow(
    api: Api, connection: Connection, submission_id: str, *, clock: Clock, timeout: float | None
) -> JsonObject:
    """Wait until a submission is done and return it.

    Raises CliError, which names the command to go on with, when `timeout` seconds have passed, when the service is
    away for too long, and on Ctrl-C.
    """
    resume = resume_command(connection, submission_id)
    try:
        with watching() as watcher:
            done = _poll(api, submission_id, clock, timeout, watcher)
    except KeyboardInterrupt:
        raise CliError(
            "Stopped waiting; the submission goes on.",
            code="interrupted",
            exit_code=ExitCode.INTERRUPTED,
            advice=f"Go on with: {resume}",
            submission_id=submission_id,
        ) from None
    except TryAgainError as error:
        error.advice = f"The submission goes on. Go on waiting with: {resume}"
        error.facts["submission_id"] = submission_id
        raise
    if done is None:
        raise CliError(
            f"Not done after {timeout:g} s; the submission goes on.",
            code="timed_out_waiting",
            exit_code=ExitCode.TIMED_OUT,
            advice=f"Go on with: {resume}",
            submission_id=submission_id,
        )
    return done


def _poll(
    api: Api, submission_id: str, clock: Clock, timeout: float | None, watcher: Watcher
) -> JsonObject | None:
    deadline = clock.monotonic() + timeout if timeout is not None else float("inf")
    seen: Polled | None = None
    away_since: float | None = None
    failures = 0
    while True:
        try:
            seen = api.submission(submission_id, seen)
        except TryAgainError as error:
            now = clock.monotonic()
            away_since = now if away_since is None else away_since
            failures += 1
            if now - away_since > PATIENCE:
                raise
            if failures == 1:
                watcher.trouble(f"{error.message} Still trying.")
            wait = min(error.facts.get("retry_after", 2.0 ** min(failures - 1, 3)), LONGEST_WAIT)
        else:
            away_since, failures = None, 0
            watcher.seen(seen.submission)
            if seen.submission["status"] == "done":
                return seen.submission
            wait = seen.interval
        left = deadline - clock.monotonic()
        if left <= 0:
            return None
        clock.sleep(min(wait, left))
