"""Log lines that name the request, evaluation or run they belong to: JSON in production, for a reader in development.

Whatever somebody else wrote into a message stays in its line, and what looks like a secret is blotted out. Neither makes
it right to log a header, a query or a form.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import IO, Literal

_BELONGS: ContextVar[Mapping[str, str]] = ContextVar("belongs", default=MappingProxyType({}))
_SECRETS = (
    (re.compile(r"lethe_[\w-]{16,}"), "lethe_***"),  # tokens, and the value of a session's cookie
    (re.compile(r"(://[^\s:/@]*:)[^\s/@]+@"), r"\1***@"),
    (re.compile(r"\b(bearer|basic)\s+[^\s'\"]+", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"\b((?:set-)?cookie['\"]?\s*[:=])[^\n]*", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"\b(password['\"]?\s*[:=]\s*)[^\s,;&]+", re.IGNORECASE), r"\1***"),
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@contextmanager
def belonging(**ids: str) -> Iterator[None]:
    """Name these ids in every line of this thread or task until the block ends."""
    token = _BELONGS.set({**_BELONGS.get(), **ids})
    try:
        yield
    finally:
        _BELONGS.reset(token)


def configure(environment: Literal["development", "production"], stream: IO[str] | None = None) -> None:
    """Write every log line of this process to stderr in the environment's form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if environment == "production" else ReadableLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)  # they have the same form as all else
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every look at the schema


class _Lines(logging.Formatter):
    def parts(self, record: logging.LogRecord) -> tuple[datetime, str, dict[str, object], str]:
        """Return a record's time, message, what it belongs to with its own fields, and traceback, without secrets."""
        at = datetime.fromtimestamp(record.created, UTC)
        fields = {name: _clean(value) for name, value in getattr(record, "fields", {}).items()}
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return at, _blot(record.getMessage()), {**_BELONGS.get(), **fields}, _blot(trace)


class JsonLines(_Lines):
    """One JSON object a line: time, level, logger, message, then ids and fields, then an exception's traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; JSON escapes every character that could end it."""
        at, message, belongs, trace = self.parts(record)
        head = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        return json.dumps({**belongs, **head, **({"exception": trace} if trace else {})})


class ReadableLines(_Lines):
    """Time, level, logger, message and ids; a traceback follows on lines that are set in."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with control characters written out."""
        at, message, belongs, trace = self.parts(record)
        ids = " ".join(f"{name}={value}" for name, value in belongs.items())
        clock = at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        line = f"{clock} {record.levelname} {record.name} {message}" + (f" [{ids}]" if ids else "")
        return "\n    ".join(_escape(one) for one in (line, *trace.split("\n")) if one)


def _blot(text: str) -> str:
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _clean(value: object) -> object:
    return _blot(value) if isinstance(value, str) else value


def _escape(text: str) -> str:
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)
