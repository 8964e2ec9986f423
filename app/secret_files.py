"""Secrets that come in files, as Docker and systemd hand them out: in no environment and no process list."""

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit


def read_secret(path: Path) -> str:
    """Return a file's one line. Raises ValueError, in words that name the file, when there is none to be read."""
    try:
        secret = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the secret's file {path} cannot be read: {error}") from error
    if not secret or "\n" in secret:
        raise ValueError(f"the secret's file {path} must hold one line")
    return secret


def with_password(url: str, path: Path | None) -> str:
    """Put the password that a file holds into a URL. Raises ValueError when the URL has no place for it."""
    if path is None:
        return url
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not parts.scheme or ":" in user:
        raise ValueError("with a password's file, it must be a URL that has no password itself")
    netloc = f"{user}:{quote(read_secret(path), safe='')}@{host if at else parts.netloc}"
    return urlunsplit(parts._replace(netloc=netloc))
