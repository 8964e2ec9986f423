"""Templates, static files by content, and an organiser's Markdown."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from app import access, formatting
from app.models import User

HERE = Path(__file__).parent
STATIC = HERE / "static"
GUIDES = HERE.parent / "docs"
"""The documentation, in a checkout and in the image; an installation without it has no guides."""
_BY_KEYBOARD = (
    ("<table>", '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>'),
    ("</table>", "</table></div>"),
    ("<pre>", '<pre tabindex="0">'),
)
"""What may be wider than a narrow screen scrolls by itself, and can be reached without a mouse."""


def markdown(text: str) -> Markup:
    """Render Markdown; raw HTML in it is shown as text, and dangerous link schemes are dropped.

    >>> print(markdown("# Rules"), end="")
    <h2>Rules</h2>
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    if any(token.tag == "h1" for token in headings):  # the page around it has the first heading
        for token in headings:
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    return fit_for_pages(parser, tokens)


def fit_for_pages(parser: MarkdownIt, tokens: list[Token]) -> Markup:
    """Render parsed Markdown for our pages: no inline style, which they forbid, and every wide block within reach."""
    for token in tokens:
        if token.type in {"th_open", "td_open"} and token.attrs.pop("style", "") == "text-align:right":
            token.attrSet("class", "num")
    html = parser.renderer.render(tokens, parser.options, {})
    for plain, reachable in _BY_KEYBOARD:
        html = html.replace(plain, reachable)
    return Markup(html)  # noqa: S704 - markdown-it escaped it: html is disabled


class Renderer:
    """Renders the templates; `clock` gives the time that relative times refer to."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def page(
        self,
        request: Request,
        name: str,
        context: Mapping[str, Any],
        *,
        viewer: User | None,
        status: int = 200,
    ) -> Response:
        """Return a whole page. It is rendered here, before anything is sent."""
        text = (
            _environment()
            .get_template(name)
            .render(viewer=viewer, path=request.url.path, now=self._clock(), **context)
        )
        return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


@cache
def _environment() -> Environment:
    """Return the one environment, which keeps the compiled templates."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = ("utc", "iso", "clock", "relative", "duration", "size", "fixed", "percent")
    environment.filters.update({name: getattr(formatting, name) for name in filters})
    environment.filters["markdown"] = markdown
    environment.globals |= {
        "asset": _asset,
        "has_guides": GUIDES.is_dir(),
        "is_admin": access.is_admin,
        "is_organiser": access.is_organiser,
        "role_of": access.role_of,
    }
    return environment


@cache
def _asset(name: str) -> str:
    """Return a static file's address with its content's digest, so that it may be cached for ever."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"
