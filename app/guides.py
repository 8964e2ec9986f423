"""The project's own documentation as pages: docs/*.md, rendered once and kept."""

import itertools
import posixpath
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from app.errors import NotFound
from app.rendering import GUIDES, fit_for_pages

INDEX = "README"
ORDER = (
    "quickstart",
    "participants",
    "faq",
    "scoring",
    "cli",
    "reference/cli",
    "reference/api",
    "organisers",
    "operators",
    "threat-model",
    "architecture",
)
"""As readers meet them; those that are not named come last."""


@dataclass(frozen=True)
class Guide:
    """One page of the documentation; `sections` are the anchors and words of its second-level headings."""

    slug: str
    title: str
    html: Markup
    sections: tuple[tuple[str, str], ...]

    @property
    def address(self) -> str:
        """Where it is."""
        return address(self.slug)

    @property
    def parent(self) -> str:
        """The slug of the guide that it would be a part of."""
        return posixpath.dirname(self.slug)


class Guides:
    """The documentation of this installation, read when it is first asked for."""

    def __init__(self, folder: Path = GUIDES) -> None:
        self._folder = folder
        self._read: dict[str, Guide] = {}
        self._slugs: tuple[str, ...] | None = None

    def slugs(self) -> tuple[str, ...]:
        """Return what there is, in order; the index is none of them."""
        if self._slugs is None:
            found = {
                path.relative_to(self._folder).with_suffix("").as_posix()
                for path in self._folder.rglob("*.md")
            }
            places = {slug: place for place, slug in enumerate(ORDER)}
            self._slugs = tuple(
                sorted(found - {INDEX}, key=lambda slug: (places.get(slug, len(ORDER)), slug))
            )
        return self._slugs

    def listed(self) -> list[Guide]:
        """Return the guides that are no part of another, in order."""
        slugs = self.slugs()
        return [guide for guide in map(self.get, slugs) if guide.parent not in slugs]

    def get(self, slug: str) -> Guide:
        """Return a guide. Raises NotFound."""
        if slug not in self._read:
            if slug not in {*self.slugs(), INDEX} or not (path := self._folder / f"{slug}.md").is_file():
                raise NotFound(f"There is no guide named {slug[:80]!r}.", advice="The list is at /docs.")
            self._read[slug] = rendered(slug, path.read_text(encoding="utf-8"), {*self.slugs(), INDEX})
        return self._read[slug]

    def image(self, name: str) -> Path:
        """Return an image of the guides. Raises NotFound."""
        for path in self._folder.glob("images/*.svg"):
            if path.name == name:
                return path
        raise NotFound("The guides have no such image.")


def address(slug: str) -> str:
    """Return where a guide is on the site."""
    return "/docs" if slug == INDEX else f"/docs/{slug}"


def rendered(slug: str, text: str, known: set[str]) -> Guide:
    """Render a guide: headings with anchors, links to other guides as links to their pages, other files as plain words."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    sections, title = _anchored(tokens)
    for token in tokens:
        _relink(token.children or [], posixpath.dirname(slug), known)
    html = fit_for_pages(parser, tokens)
    return Guide(slug, title or slug, html, tuple(sections))


def anchor(words: str) -> str:
    """Return the anchor of a heading, as Markdown viewers make it.

    >>> anchor("Why 20 % of it?"), anchor("`lethe status [ID]`")
    ('why-20--of-it', 'lethe-status-id')
    """
    return re.sub(r"[^\w\- ]", "", words.lower()).strip().replace(" ", "-")


def _anchored(tokens: list[Token]) -> tuple[list[tuple[str, str]], str]:
    """Give each heading its anchor; return those of the second level, and the first heading's words."""
    seen: Counter[str] = Counter()
    sections, title = [], ""
    for opening, inside in itertools.pairwise(tokens):
        if opening.type != "heading_open":
            continue
        words = "".join(one.content for one in inside.children or [])
        name = anchor(words)
        opening.attrSet("id", f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
        title = title or words
        if opening.tag == "h2":
            sections.append((str(opening.attrs["id"]), words))
    return sections, title


def _relink(tokens: list[Token], folder: str, known: set[str]) -> None:
    for token in tokens:
        if token.type == "image":
            name = posixpath.basename(str(token.attrs["src"]))
            token.attrs["src"] = f"/docs/images/{name}"
    open_links: list[Token] = []
    for token in tokens:
        if token.type == "link_open":
            target = _target(str(token.attrs["href"]), folder, known)
            if target is None:
                token.tag = "span"
                token.attrs = {}
            else:
                token.attrs["href"] = target
            open_links.append(token)
        elif token.type == "link_close":
            token.tag = open_links.pop().tag


def _target(href: str, folder: str, known: set[str]) -> str | None:
    """Return where a link leads on the site, or None for a file of the project that is no page."""
    if re.match(r"[a-z][a-z0-9+.-]*:|[#/]", href, re.IGNORECASE):
        return href
    path, _, fragment = href.partition("#")
    slug = posixpath.normpath(posixpath.join(folder, path)).removesuffix(".md")
    if not path.endswith(".md") or slug not in known:
        return None
    return address(slug) + (f"#{fragment}" if fragment else "")
