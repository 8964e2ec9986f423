"""Options that many commands have, and what goes with them."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=click.Command)


def json_option(command: F) -> F:
    """--json: stdout holds exactly one JSON object, in failure too (see `errors.reported`)."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


def printed(answer: Any) -> None:
    """Print that object."""
    click.echo(json.dumps(answer, indent=2))


def examples(*lines: str) -> Callable[[C], C]:
    """Show these command lines at the end of a command's --help."""

    def shown(command: C) -> C:
        # "\b" keeps click from filling the lines up
        command.epilog = "\b\n" + "\n".join(["For example:", *(f"  {line}" for line in lines)])
        return command

    return shown
