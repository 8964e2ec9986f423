"""What the admin's commands that speak to a service have in common."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from cli.client.api import Api, JsonObject
from cli.client.config import connection

F = TypeVar("F", bound=Callable[..., Any])


def reason_option(command: F) -> F:
    """Ask why."""
    return click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the event log.")(
        command
    )


def json_option(command: F) -> F:
    """Offer JSON."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


@contextmanager
def service(url: str | None) -> Iterator[Api]:
    """Connect to the service as an admin or organiser."""
    target = connection(url)
    target.needed_token()
    with Api(target) as api:
        yield api


def printed(answer: JsonObject) -> None:
    """Print an answer as it came."""
    click.echo(json.dumps(answer, indent=2))
