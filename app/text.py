"""Values from outside: what no database takes and no page shows is refused."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def has_control(text: str) -> bool:
    """Whether there is a control character in it (NUL, line ends and tabs are some), or half of a surrogate pair."""
    if text.isascii() and text.isprintable():
        return False  # nearly always, and quickly
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)


def _plain(text: str) -> str:
    if has_control(text):
        raise ValueError("must not contain control characters or line ends")
    return text


PlainText = Annotated[str, AfterValidator(_plain)]
"""One line of text that can be stored and shown."""

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(_plain),
]
"""Why an organiser or admin does something: a line that is kept, and may be shown to whom it concerns."""

LARGEST_ID = 2**31 - 1
"""What a database's integer column holds at most; asking it about a larger number is an error of its own."""
