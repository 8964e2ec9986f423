"""Names of teams. Pure."""

import re
import unicodedata

from app.errors import BadRequest

LONGEST = 40
_LOOKS = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Only choose how the character before them is drawn, which may be not at all differently."""
_BLANK = re.compile(r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0]")
"""Drawn as nothing, though they count as printable."""


def cleaned(name: str) -> str:
    """Return a name as it is kept and shown. Raises BadRequest for one that cannot be read or told from others.

    >>> cleaned("  The   sieve ")
    'The sieve'
    """
    shown = " ".join(unicodedata.normalize("NFC", _LOOKS.sub("", name)).split())
    if not 1 <= len(shown) <= LONGEST:
        raise BadRequest(f"A team's name has 1 to {LONGEST} characters.", advice="Choose a shorter name.")
    visible = shown.isprintable() and not _BLANK.search(shown)
    if not visible or not any(character.isalnum() for character in shown):
        raise BadRequest(
            "A team's name holds a letter or a digit, and nothing invisible.", advice="Choose another name."
        )
    return shown


def key(name: str) -> str:
    """Return what is the same for names that look alike.

    >>> key("The SIEVE") == key("the sieve")
    True
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
