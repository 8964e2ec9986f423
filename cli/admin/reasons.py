"""What every decision of an admin or organiser is asked for."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def reason_option(command: F) -> F:
    """Ask why."""
    option = click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the event log.")
    return option(command)
