"""`lethe login`: check a token against the service and keep it for later commands."""

import os
import sys
from urllib.parse import urlsplit

import click

from cli.client.api import Api
from cli.client.config import Connection, checked_token, config_path, connection, url_option, write
from cli.errors import reported, usage_error
from cli.options import examples, json_option, printed
from cli.text import say

_LOCAL = {"localhost", "127.0.0.1", "::1"}


@examples(
    "lethe login --url https://lethe.example.org", "lethe login --url https://lethe.example.org < token.txt"
)
@click.command()
@json_option
@url_option
@reported
def login(*, as_json: bool, url: str | None) -> None:
    """Ask for an API token, or read it from stdin, and keep it with the service's address.

    The token is checked against the service first and never shown. The file is readable by you alone.
    """
    target = connection(url)
    parts = urlsplit(target.url)
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        say(f"Warning: {target.url} is not encrypted; others on the way can read the token.")
    token = _ask(target.url)
    with Api(Connection(target.url, target.named_by, token)) as api:
        api.check_token()
    path = config_path(os.environ)
    try:
        write(path, target.url, token)
    except OSError as error:
        raise usage_error(f"{path} cannot be written: {error.strerror}.", "bad_config") from error
    if as_json:
        printed({"url": target.url, "config": str(path)})
    else:
        say(f"The token works at {target.url}. It is kept in {path}.")


def _ask(url: str) -> str:
    if sys.stdin.isatty():
        return checked_token(click.prompt(f"API token for {url}", hide_input=True, err=True), "the prompt")
    return checked_token(sys.stdin.readline(), "stdin")
