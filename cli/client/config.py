"""Which service to talk to, and as whom: flag, then environment, then file.

The file, ~/.config/lethe/config.toml or the one that LETHE_CONFIG names, holds `url` and `token`. A token never
comes on the command line, where other users of the machine could read it, and the file's token is sent to the file's
address only.
"""

import os
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from cli.errors import CliError, usage_error
from cli.exit_codes import ExitCode
from cli.text import say

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Connection:
    """The service's address and the token for it; `named_by` says who chose the address."""

    url: str
    named_by: str
    token: str | None = field(default=None, repr=False)
    token_hint: str = ""

    def needed_token(self) -> str:
        """Return the token, or raise with what to do about its absence."""
        if self.token is None:
            raise CliError(
                self.token_hint or f"There is no token for {self.url}.",
                code="no_token",
                exit_code=ExitCode.AUTH,
                advice="Run `lethe login`, or set LETHE_TOKEN or LETHE_TOKEN_FILE.",
            )
        return self.token

    @property
    def flags(self) -> str:
        """What a follow-up command must repeat to reach the same service."""
        return f" --url {self.url}" if self.named_by == "--url" else ""


def url_option(command: Callable[..., None]) -> Callable[..., None]:
    """--url, the same for every command that talks to the service."""
    text = f"Address of the service. [LETHE_URL, then the configuration file, then {DEFAULT_URL}]"
    return click.option("--url", metavar="URL", help=text)(command)


def config_path(env: Mapping[str, str]) -> Path:
    """Name the configuration file, which need not exist."""
    if env.get("LETHE_CONFIG"):
        return Path(env["LETHE_CONFIG"]).expanduser()
    base = Path(env["XDG_CONFIG_HOME"]) if env.get("XDG_CONFIG_HOME") else Path.home() / ".config"
    return base / "lethe" / "config.toml"


def connection(url_flag: str | None, env: Mapping[str, str] = os.environ) -> Connection:
    """Find the address and the token for it. Raises CliError naming what is not right, and where."""
    path = config_path(env)
    stored = read(path)
    url, named_by = _address(url_flag, env, stored, path)
    token, where = _token(env)
    hint = ""
    if token is None and stored.get("token"):
        if "url" in stored and normal_url(stored["url"], str(path)) == url:
            token, where = stored["token"], str(path)
        else:
            hint = f"The token in {path} belongs to {stored.get('url', 'no address')}, not to {url}."
    return Connection(url, named_by, checked_token(token, where) if token is not None else None, hint)


def read(path: Path) -> dict[str, str]:
    """Read the file; a missing one is empty."""
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        mode = path.stat().st_mode
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise usage_error(f"{path} cannot be read: {error}.", "bad_config") from error
    for name, value in values.items():
        if name not in {"url", "token"} or not isinstance(value, str):
            raise usage_error(
                f"{path}: only `url` and `token`, as strings, are known; found {name!r}.", "bad_config"
            )
    if "token" in values and mode & 0o077:
        say(f"Warning: others on this machine can read the token in {path}; run `chmod 600 {path}`.")
    return values


def write(path: Path, url: str, token: str) -> None:
    """Write the file whole or not at all, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkstemp makes the file 0600; both values were checked to hold nothing that TOML would need escaped
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".config-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f'# Written by `lethe login`.\nurl = "{url}"\ntoken = "{token}"\n')
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def normal_url(url: str, named_by: str) -> str:
    """Check an address and drop its trailing slash."""
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if (
        not good
        or not url.isascii()
        or any(not letter.isprintable() or letter in ' "\\' for letter in url.strip())
    ):
        raise usage_error(
            f"{url!r} ({named_by}) is no address.", "bad_url", "Give one such as https://lethe.example.org."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise usage_error(f"The address from {named_by} must hold no user, '?' or '#'.", "bad_url")
    return url.strip().rstrip("/")


def checked_token(token: str, where: str) -> str:
    """Strip a token, and refuse what cannot stand in a header."""
    token = token.strip()
    if not token:
        raise usage_error(f"The token from {where} is empty.", "bad_token")
    if not token.isascii() or any(not letter.isprintable() or letter in ' "\\' for letter in token):
        raise usage_error(
            f"What {where} gives is no token: it holds spaces or other odd characters.", "bad_token"
        )
    return token


def _address(
    flag: str | None, env: Mapping[str, str], stored: Mapping[str, str], path: Path
) -> tuple[str, str]:
    for value, named_by in (
        (flag, "--url"),
        (env.get("LETHE_URL"), "LETHE_URL"),
        (stored.get("url"), str(path)),
    ):
        if value or (value is not None and named_by == "--url"):
            return normal_url(value, named_by), named_by
    return DEFAULT_URL, "the default"


def _token(env: Mapping[str, str]) -> tuple[str | None, str]:
    if env.get("LETHE_TOKEN"):
        return env["LETHE_TOKEN"], "LETHE_TOKEN"
    if not env.get("LETHE_TOKEN_FILE"):
        return None, ""
    path = Path(env["LETHE_TOKEN_FILE"])
    try:
        return path.read_text(encoding="utf-8"), f"LETHE_TOKEN_FILE ({path})"
    except (OSError, UnicodeDecodeError) as error:
        raise usage_error(f"LETHE_TOKEN_FILE cannot be read: {error}.", "bad_token") from error
