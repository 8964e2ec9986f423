"""docs/reference/api.md and the pages under it, from the service's own OpenAPI description."""

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.guides import anchor
from app.main import create_app
from app.routes.security import BROWSER
from app.settings import Settings
from tools.markdown import NOTE, cell, prose, table

Json = dict[str, Any]
_METHODS = ("get", "head", "post", "put", "patch", "delete")
_EXAMPLE_LINES = 90
_SHARED = "objects"
_INTRODUCTION = """\
What the pages do, a program can do, save registering, signing in and keeping an account: its password, sessions, tokens, linked sign-ins, e-mail address and webhook are
for whoever signs in by a browser, so that no token makes another or outlives itself. Say who you are with `Authorization: Bearer TOKEN`; make a token on your account
page. The same description for programs: `/api/v1/openapi.json`.

- Errors are `application/problem+json` with a stable `code`, `detail`, `advice`, `fault` (whose it was) and a `request_id`; [all codes](/problems).
- Lists come in pages: follow `next`, or send `next_cursor` as `cursor`, until it is null.
- Polls: send the last `ETag` as `If-None-Match`, get 304 while nothing has changed, and wait `Lethe-Poll-Interval` seconds between two.
- 429 and 503 say in `Retry-After` when to come back.
- Uploads: an `Idempotency-Key` makes retries safe."""


@dataclass(frozen=True)
class _Operation:
    """One operation, and the page that tells of it."""

    page: str
    method: str
    path: str
    told: Json

    @property
    def summary(self) -> str:
        return str(self.told.get("summary", self.path))


def api_reference() -> dict[str, str]:
    """Return the pages by their names in docs/reference/: an index, one for each tag, one for the objects that several use."""
    described = _openapi()
    schemas = described.get("components", {}).get("schemas", {})
    operations = list(_operations(described))
    pages = list(dict.fromkeys(one.page for one in operations))
    homes = _homes(operations, schemas)
    common = _common(operations)
    texts = {"api.md": _index(operations, pages, common)}
    for page in (*pages, _SHARED):
        words = _Words(page, homes, common)
        own = [one for one in operations if one.page == page]
        objects = [words.schema(name, schemas[name]) for name, home in sorted(homes.items()) if home == page]
        parts = [f"# API: {_title(page)}", NOTE, *(words.operation(one) for one in own)]
        if objects:
            parts += ["## Objects"] if own else []
            parts += objects
        texts[f"api/{page}.md"] = "\n\n".join(parts) + "\n"
    return texts


def _openapi() -> Json:
    with tempfile.TemporaryDirectory(prefix="lethe-reference-") as folder:
        return create_app(Settings(data_dir=Path(folder))).openapi()


def _operations(described: Json) -> Iterator[_Operation]:
    for path, by_method in described["paths"].items():
        for method in _METHODS:
            if method in by_method:
                told = by_method[method]
                yield _Operation((told.get("tags") or ["service"])[0], method, path, told)


def _homes(operations: list[_Operation], schemas: Json) -> dict[str, str]:
    """Return which page tells of which object: the only one that speaks of it, or else the shared one."""
    users: dict[str, set[str]] = {name: set() for name in schemas}
    for one in operations:
        waiting = _named(one.told)
        while waiting:
            name = waiting.pop()
            if one.page not in users[name]:
                users[name].add(one.page)
                waiting |= _named(schemas[name])
    return {name: pages.pop() if len(pages) == 1 else _SHARED for name, pages in users.items()}


def _named(told: Json) -> set[str]:
    return set(re.findall(r"#/components/schemas/([^\"]+)", json.dumps(told)))


def _common(operations: list[_Operation]) -> list[tuple[str, str]]:
    """Return the statuses, and their meanings, with which more than half of all operations may answer."""
    found = Counter(
        (status, response.get("description", ""))
        for one in operations
        for status, response in one.told["responses"].items()
    )
    return sorted(pair for pair, number in found.items() if number > len(operations) / 2 and pair[0] >= "300")


def _title(page: str) -> str:
    return page.replace("-", " ").capitalize()


def _index(operations: list[_Operation], pages: list[str], common: list[tuple[str, str]]) -> str:
    parts = ["# API reference", NOTE, _INTRODUCTION]
    for page in pages:
        rows = [
            (f"`{one.method.upper()} {one.path}`", f"[{one.summary}](api/{page}.md#{anchor(one.summary)})")
            for one in operations
            if one.page == page
        ]
        parts += [f"## {_title(page)}", table(("operation", "what it does"), rows)]
    rows = [(f"`{status}`", cell(meaning)) for status, meaning in common]
    parts += [
        "## What every operation may answer",
        "Beside what its own page says.",
        table(("answer", "meaning"), rows),
    ]
    parts += [
        "## Objects",
        f"Those that several of these pages name are [on one of their own](api/{_SHARED}.md).",
    ]
    return "\n\n".join(parts) + "\n"


@dataclass(frozen=True)
class _Words:
    """Writes what stands on one page."""

    page: str
    homes: dict[str, str]
    common: list[tuple[str, str]]

    def operation(self, one: _Operation) -> str:
        operation = one.told
        parts = [f"## {one.summary}", f"`{one.method.upper()} {one.path}`{_who(operation)}"]
        if operation.get("description"):
            parts.append(prose(operation["description"]))
        if rows := list(self._parameters(operation)):
            parts.append(table(("parameter", "in", "type", "meaning"), rows))
        if body := operation.get("requestBody"):
            parts.append(self._body(body))
        parts.append(table(("answer", "meaning"), list(self._responses(operation))))
        example = _example(operation)
        if example:
            parts.append(example)
        return "\n\n".join(parts)

    def _parameters(self, operation: Json) -> Iterator[tuple[str, str, str, str]]:
        for one in operation.get("parameters", []):
            name = f"`{one['name']}`" + (" (required)" if one.get("required") and one["in"] != "path" else "")
            yield name, one["in"], self._type(one.get("schema", {})), cell(one.get("description", ""))

    def _body(self, body: Json) -> str:
        kinds = ", ".join(
            f"`{media}`"
            + (f": {self._type(content['schema'])}" if "$ref" in content.get("schema", {}) else "")
            for media, content in body["content"].items()
        )
        words = f", {body['description']}" if body.get("description") else ""
        return f"Body: {kinds}{words}."

    def _responses(self, operation: Json) -> Iterator[tuple[str, str]]:
        for status, response in operation["responses"].items():
            if (status, response.get("description", "")) in self.common:
                continue
            kinds = [
                self._type(one["schema"])
                for one in response.get("content", {}).values()
                if "$ref" in one.get("schema", {})
            ]
            kind = f": {kinds[0]}" if kinds and status < "300" else ""
            yield f"`{status}`", cell(response.get("description", "")) + kind

    def schema(self, name: str, schema: Json) -> str:
        if "properties" not in schema:
            return "\n\n".join(
                (f"### {name}", prose(schema.get("description", "")), f"One of {self._type(schema)}.")
            )
        rows = [
            (f"`{field}`", self._type(one), cell(one.get("description", "")))
            for field, one in schema["properties"].items()
        ]
        words = prose(schema.get("description", ""))
        return "\n\n".join(
            part for part in (f"### {name}", words, table(("field", "type", "meaning"), rows)) if part
        )

    def _type(self, schema: Json) -> str:
        """Say a JSON schema in a word or two, with a link to the object that it names."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            home = self.homes[name]
            return f"[{name}]({f'{home}.md' if home != self.page else ''}#{anchor(name)})"
        if "const" in schema or "enum" in schema:
            return ", ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
        for several in ("anyOf", "oneOf", "allOf"):
            if several in schema:
                return " or ".join(dict.fromkeys(self._type(one) for one in schema[several]))
        if schema.get("type") == "array":
            return f"list of {self._type(schema.get('items', {}))}"
        kind = schema.get("type", "any")
        kinds = {"date-time": "time", "binary": "bytes"}
        return kinds.get(schema.get("format", ""), str(kind) if isinstance(kind, str) else " or ".join(kind))


def _who(operation: Json) -> str:
    security = operation.get("security")
    if not security:
        return ""
    if security == [{BROWSER: []}]:
        return " (needs a browser's session)"
    return " (says more with a token)" if {} in security else " (needs a token)"


def _example(operation: Json) -> str:
    for status, response in operation["responses"].items():
        for media, content in response.get("content", {}).items():
            if status < "300" and media == "application/json" and "example" in content:
                lines = json.dumps(content["example"], indent=2, ensure_ascii=False).splitlines()
                if len(lines) <= _EXAMPLE_LINES:
                    return "```json\n" + "\n".join(lines) + "\n```"
    return ""
