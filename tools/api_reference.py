"""docs/reference/api.md from the service's own OpenAPI description."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.guides import anchor
from app.main import create_app
from app.settings import Settings
from tools.markdown import NOTE, cell, prose, table

Json = dict[str, Any]
_METHODS = ("get", "head", "post", "put", "patch", "delete")
_EXAMPLE_LINES = 60
_INTRODUCTION = """\
Everything that the pages do, a program can do. Say who you are with `Authorization: Bearer TOKEN`; make a token on your account page. The same description for
programs: `/api/v1/openapi.json`.

- Errors are `application/problem+json` with a stable `code`, `detail`, `advice` and a `request_id`; [all codes](/problems).
- Lists come in pages: follow `next`, or send `next_cursor` as `cursor`, until it is null.
- Polls: send the last `ETag` as `If-None-Match`, get 304 while nothing has changed, and wait `Lethe-Poll-Interval` seconds between two.
- 429 and 503 say in `Retry-After` when to come back.
- Uploads: an `Idempotency-Key` makes retries safe."""


def api_reference() -> str:
    """Return the page."""
    described = _openapi()
    parts = ["# API reference", NOTE, _INTRODUCTION]
    by_tag: dict[str, list[str]] = {}
    for path, operations in described["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                tag = (operation.get("tags") or ["service"])[0]
                by_tag.setdefault(tag, []).append(_operation(method, path, operation))
    for tag, found in by_tag.items():
        parts += [f"## {tag.replace('-', ' ').capitalize()}", *found]
    schemas = described.get("components", {}).get("schemas", {})
    parts.append("## Objects")
    parts += [_schema(name, schema) for name, schema in sorted(schemas.items())]
    return "\n\n".join(parts) + "\n"


def _openapi() -> Json:
    with tempfile.TemporaryDirectory(prefix="lethe-reference-") as folder:
        return create_app(Settings(data_dir=Path(folder))).openapi()


def _operation(method: str, path: str, operation: Json) -> str:
    parts = [f"### {operation.get('summary', path)}", f"`{method.upper()} {path}`{_who(operation)}"]
    if operation.get("description"):
        parts.append(prose(operation["description"]))
    if rows := list(_parameters(operation)):
        parts.append(table(("parameter", "in", "type", "meaning"), rows))
    if body := operation.get("requestBody"):
        parts.append(_body(body))
    parts.append(table(("answer", "meaning"), list(_responses(operation))))
    example = _example(operation)
    if example:
        parts.append(example)
    return "\n\n".join(parts)


def _who(operation: Json) -> str:
    security = operation.get("security")
    if not security:
        return ""
    return " (says more with a token)" if {} in security else " (needs a token)"


def _parameters(operation: Json) -> Iterator[tuple[str, str, str, str]]:
    for one in operation.get("parameters", []):
        name = f"`{one['name']}`" + (" (required)" if one.get("required") and one["in"] != "path" else "")
        yield name, one["in"], _type(one.get("schema", {})), cell(one.get("description", ""))


def _body(body: Json) -> str:
    kinds = ", ".join(
        f"`{media}`" + (f": {_type(content['schema'])}" if "$ref" in content.get("schema", {}) else "")
        for media, content in body["content"].items()
    )
    words = f", {body['description']}" if body.get("description") else ""
    return f"Body: {kinds}{words}."


def _responses(operation: Json) -> Iterator[tuple[str, str]]:
    for status, response in operation["responses"].items():
        kinds = [
            _type(one["schema"])
            for one in response.get("content", {}).values()
            if "$ref" in one.get("schema", {})
        ]
        kind = f": {kinds[0]}" if kinds and status < "300" else ""
        yield f"`{status}`", cell(response.get("description", "")) + kind


def _example(operation: Json) -> str:
    for status, response in operation["responses"].items():
        for media, content in response.get("content", {}).items():
            if status < "300" and media == "application/json" and "example" in content:
                lines = json.dumps(content["example"], indent=2, ensure_ascii=False).splitlines()
                if len(lines) <= _EXAMPLE_LINES:
                    return "```json\n" + "\n".join(lines) + "\n```"
    return ""


def _schema(name: str, schema: Json) -> str:
    if "properties" not in schema:
        return "\n\n".join((f"### {name}", prose(schema.get("description", "")), f"One of {_type(schema)}."))
    rows = [
        (f"`{field}`", _type(one), cell(one.get("description", "")))
        for field, one in schema["properties"].items()
    ]
    words = prose(schema.get("description", ""))
    return "\n\n".join(
        part for part in (f"### {name}", words, table(("field", "type", "meaning"), rows)) if part
    )


def _type(schema: Json) -> str:
    """Say a JSON schema in a word or two, with a link to the object that it names."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{anchor(name)})"
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_type(one) for one in schema[several]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    kind = schema.get("type", "any")
    kinds = {"date-time": "time", "binary": "bytes"}
    return kinds.get(schema.get("format", ""), str(kind) if isinstance(kind, str) else " or ".join(kind))
