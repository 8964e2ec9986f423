"""Names of teams. Pure."""

import unicodedata

from app.errors import BadRequest

LONGEST = 40


def cleaned(name: str) -> str:
    """Return a name as it is kept and shown. Raises BadRequest for one that cannot be read or told from others.

    >>> cleaned("  The   sieve ")
    'The sieve'
    """
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(shown) <= LONGEST:
        raise BadRequest(f"A team's name has 1 to {LONGEST} characters.", advice="Choose a shorter name.")
    if not shown.isprintable() or not any(character.isalnum() for character in shown):
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
