"""What smoke runs printed, made fit to be shown: participants' bytes, which may hold anything."""

import re
import unicodedata

from app.errors import NotFound
from app.models import Run, Submission
from app.status import RunStatus
from app.submissions import published_evaluation

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, moves of the cursor
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # titles, links and other strings
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)
_LINE_ENDS = re.compile(r"\r\n?")
_KEPT = frozenset("\n\t")


def readable(data: bytes) -> str:
    r"""Return bytes as text without escape sequences and control characters; a bar drawn over and over gets lines.

    >>> readable(b"\x1b[31mred\x1b[0m\r50 %\r100 %\a\xff")
    'red\n50 %\n100 %\ufffd'
    """
    text = _LINE_ENDS.sub("\n", _ESCAPES.sub("", data.decode(errors="replace")))
    return "".join(letter for letter in text if letter in _KEPT or _is_shown(letter))


def _is_shown(letter: str) -> bool:
    """Tell what is seen from what acts on other text: controls, and marks that turn its direction."""
    return unicodedata.category(letter) not in {"Cc", "Cf", "Zl", "Zp"}


def digest_of(submission: Submission) -> str:
    """Return the blob of what the smoke run of the submission's shown evaluation printed. Raises NotFound, which says why."""
    run = published_evaluation(submission).smoke_run
    if run is None or run.log_digest is None:
        raise NotFound(f"This submission has no log: {_why_not(run)}")
    return run.log_digest


def _why_not(run: Run | None) -> str:
    if run is None:
        return "only runs on public data have one, and its competition gives none for them."
    if run.status is RunStatus.SKIPPED:
        return "its smoke run was not run."
    return "its smoke run has not ended yet."
