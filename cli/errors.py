"""Expected failures of a command: one line for a person, one object for a script, and an exit code."""

import errno
import functools
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from cli.exit_codes import ExitCode
from cli.text import clean

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class CliError(Exception):
    """A failure that a person can act on. `code` is stable; `retry_after` is in seconds."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        exit_code: ExitCode = ExitCode.FAILED,
        advice: str = "",
        **facts: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.exit_code = exit_code
        self.advice = advice
        self.facts = {name: value for name, value in facts.items() if value is not None}

    def line(self) -> str:
        """Say it in one line, without control characters that a server may have put there."""
        parts = [self.message, self.advice, f"[{self.code}]" if "status" in self.facts else ""]
        if self.facts.get("status", 0) >= 500:
            parts.append("(our fault, not yours)")
            parts.append(f"(request {self.facts['request_id']})" if "request_id" in self.facts else "")
        return clean(" ".join(part for part in parts if part))

    def to_dict(self) -> dict[str, Any]:
        """Say it to a script; only a failure has the key `error`."""
        return {
            "error": self.message,
            "code": self.code,
            "advice": self.advice,
            "exit_code": int(self.exit_code),
            **self.facts,
        }


class TryAgainError(CliError):
    """The service did not answer, or says that it cannot just now; the same request may work later."""


def usage_error(message: str, code: str, advice: str = "") -> CliError:
    """Something that the person typed or configured is not right."""
    return CliError(message, code=code, exit_code=ExitCode.USAGE, advice=advice)


def _interrupted() -> CliError:
    return CliError("Stopped.", code="interrupted", exit_code=ExitCode.INTERRUPTED)


def _full(error: OSError) -> CliError:
    return CliError(f"{error.strerror}: what was printed is not whole.", code="disk_full")


def _leave_stdout() -> None:
    """Let what cannot be written go nowhere; the interpreter would try once more, and say so in its own words."""
    with suppress(OSError):  # also where stdout is no file, as under a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse_empty() -> None:
    """Refuse an empty name or id: a script's variable that is not set must not mean "all" or "my last one"."""
    context = click.get_current_context(silent=True)
    for parameter in context.command.params if context else ():
        if not isinstance(parameter, click.Argument) and parameter.metavar != "SLUG":
            continue
        given = context.params.get(parameter.name or "") if context else None
        if given == "" or (isinstance(given, tuple) and "" in given):
            name = (parameter.metavar or parameter.human_readable_name).strip("[].").upper()
            raise usage_error(f"{name} is empty.", "empty_argument", "Give it, or leave it out.")


def reported(command: Callable[..., None]) -> Callable[..., None]:
    """Report a CliError on stderr, or as one JSON object on stdout if the command has --json, and exit."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        try:
            _refuse_empty()
            command(*args, **kwargs)
            sys.stdout.flush()  # what is left is written while a failure can still be told
        except OSError as caught:
            if caught.errno not in FULL:
                raise
            _leave_stdout()
            click.echo(f"lethe: {_full(caught).line()}", err=True)  # stdout is what is full
            raise click.exceptions.Exit(int(ExitCode.FAILED)) from None
        except (CliError, KeyboardInterrupt, click.Abort) as caught:
            error = caught if isinstance(caught, CliError) else _interrupted()
            if kwargs.get("as_json"):
                click.echo(json.dumps(error.to_dict(), indent=2))
            else:
                click.echo(f"lethe: {error.line()}", err=True)
            raise click.exceptions.Exit(int(error.exit_code)) from None

    return wrapper
