"""Pieces of Markdown."""

import re
from collections.abc import Sequence

NOTE = "*Made from the code by `python -m tools.reference`; changes here would be lost.*"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; cells are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def cell(text: str) -> str:
    r"""Return text in one line, fit for a table's cell.

    >>> cell("a |\n b <c>")
    'a \\| b &lt;c>'
    """
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def prose(text: str) -> str:
    r"""Return a docstring as paragraphs of one line each.

    >>> prose("One\n    line.\n\n    Another.")
    'One line.\n\nAnother.'
    """
    paragraphs = re.split(r"\n\s*\n", text.replace("\b", ""))
    return "\n\n".join(" ".join(one.split()).replace("<", "&lt;") for one in paragraphs)
