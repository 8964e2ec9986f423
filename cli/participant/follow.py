"""Following a submission to its end."""

import shlex
from collections.abc import Callable
from typing import Any

import click

from cli.client.api import Api, JsonObject, Polled
from cli.client.config import Connection
from cli.client.retries import LONGEST_WAIT
from cli.clock import Clock
from cli.errors import CliError, TryAgainError, usage_error
from cli.exit_codes import ExitCode
from cli.progress import Watcher, watching

PATIENCE = 180.0
"""Seconds for which the service may be away, for example while it is restarted, before we give up."""


def wait_options(command: Any) -> Any:
    """--wait and --timeout."""
    command = click.option(
        "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop waiting after this long."
    )(command)
    return click.option("--wait", is_flag=True, help="Follow the runs until there is a score or a reason.")(
        command
    )


def check_wait(timeout: float | None, *, wait: bool) -> None:
    """Raise CliError for a --timeout of nothing."""
    if timeout is not None and not wait:
        raise usage_error("--timeout needs --wait.", "bad_option")


def resume_command(connection: Connection, submission_id: str) -> str:
    """Return the command that goes on following."""
    return f"lethe status {shlex.quote(submission_id)} --wait{connection.flags}"


def cancel_command(connection: Connection, submission_id: str) -> str:
    """Return the command that stops the submission itself."""
    return f"lethe cancel {shlex.quote(submission_id)}{connection.flags}"


def follow(
    api: Api, connection: Connection, submission_id: str, *, clock: Clock, timeout: float | None
) -> JsonObject:
    """Wait until a submission is done and return it. Raises CliError; see watch()."""
    resume = resume_command(connection, submission_id)
    cancel = cancel_command(connection, submission_id)
    with watching() as watcher:
        return watch(api, submission_id, watcher, _is_done, resume, cancel, clock=clock, timeout=timeout)


def watch(
    api: Api,
    submission_id: str,
    watcher: Watcher,
    is_over: Callable[[JsonObject], bool],
    resume: str,
    cancel: str,
    *,
    clock: Clock,
    timeout: float | None = None,
) -> JsonObject:
    """Show a submission to a watcher again and again until it `is_over`, and return it.

    Raises CliError, which names the command `resume` to go on with, when `timeout` seconds have passed, when the service
    is away for too long, and on Ctrl-C, where it names the command `cancel` too.
    """
    try:
        done = _poll(api, submission_id, clock, timeout, watcher, is_over)
    except KeyboardInterrupt:
        raise CliError(
            "Stopped waiting; the submission goes on.",
            code="interrupted",
            exit_code=ExitCode.INTERRUPTED,
            advice=f"Go on with `{resume}`, or cancel it with `{cancel}`.",
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


def _is_done(submission: JsonObject) -> bool:
    return bool(submission["status"] == "done")


def _poll(
    api: Api,
    submission_id: str,
    clock: Clock,
    timeout: float | None,
    watcher: Watcher,
    is_over: Callable[[JsonObject], bool],
) -> JsonObject | None:
    deadline = clock.monotonic() + timeout if timeout is not None else float("inf")
    seen: Polled | None = None
    away_since: float | None = None
    failures = 0
    while True:
        try:
            seen = api.submission(submission_id, seen)
            watcher.seen(seen.submission)
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
            if is_over(seen.submission):
                return seen.submission
            wait = seen.interval
        left = deadline - clock.monotonic()
        if left <= 0:
            return None
        clock.sleep(min(wait, left))
