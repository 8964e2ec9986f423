"""Names of teams, of which two must not look alike. Pure.

Two rules keep look-alikes of other scripts out: no word mixes scripts that are not written together, and names are
compared after each letter that looks like a Latin one has become that one. The table holds the plain cases of Cyrillic,
Greek and Latin itself, not all of Unicode's confusables; the first rule leaves few of the others a use.
"""

import re
import unicodedata

from app.errors import BadRequest

LONGEST = 40
_LOOKS = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Only choose how the character before them is drawn, which may be not at all differently."""
_BLANK = re.compile(r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0]")
"""Drawn as nothing, though they count as printable."""
_CYRILLIC = "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u044c\u0455\u0456\u0458\u04bb\u04cf\u0501\u051b\u051d"
_GREEK = "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03f3"
_RARE = "\u0131\u0251\u0261\u0269\u01c0"  # Latin letters that only linguists tell apart
_LIKE_LATIN = str.maketrans(_CYRILLIC + _GREEK + _RARE, "abekmhopctyxbsijhldqw" + "abezhikmnoptyxj" + "iagil")
"""By their small or their capital form, for names are compared without capitals."""
_TOGETHER = {"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "LATIN"}
"""Scripts that one word may mix, as those who write Chinese, Japanese or Korean do."""
_WORD = re.compile(r"[^\W\d_]+")


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
    if any(_is_mixed(word) for word in _WORD.findall(shown)):
        raise BadRequest(
            "A word of the name mixes letters of several scripts, which cannot be told from another name.",
            advice="Write each word in the letters of one script.",
        )
    return shown


def _is_mixed(word: str) -> bool:
    letters = filter(str.isalpha, unicodedata.normalize("NFKC", word))
    scripts = {unicodedata.name(one, "UNKNOWN").split()[0] for one in letters} - {"MODIFIER"}
    return len(scripts) > 1 and not scripts <= _TOGETHER


def key(name: str) -> str:
    """Return what is the same for names that look alike.

    >>> key("The SIEVE") == key("the sieve") == key("\N{GREEK CAPITAL LETTER TAU}he sieve")
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return folded.translate(_LIKE_LATIN)
