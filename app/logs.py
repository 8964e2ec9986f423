"""What smoke runs printed, made fit to be shown: participants' bytes, which may hold anything."""

import re
import unicodedata
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.models import Run, Submission
from app.status import RunKind, RunStatus
from app.storage import Storage
from app.submissions import published_evaluation

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, moves of the cursor
    r"|\x1b[\]PX^_][^\x07\x1b\r\n]*(?:\x07|\x1b\\)?"  # titles, links and other strings; one without an end takes its line
    r"|\x1b[ -/]*[0-~]"
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


@dataclass(frozen=True)
class Found:
    """A smoke run's log: a blob once the run has ended, and before that what had come of it at the last heartbeat."""

    status: RunStatus
    digest: str | None
    printed: str

    @property
    def goes_on(self) -> bool:
        """Whether more may come: the run goes on, or a worker was lost and it waits to be run once more."""
        return self.status in {RunStatus.RUNNING, RunStatus.QUEUED}

    def read(self, storage: Storage) -> str:
        """Return the text. The store may take its time: no transaction should wait for it."""
        return self.printed if self.digest is None else readable(storage.get(self.digest))


def find(session: Session, submission: Submission) -> Found:
    """Return the log of the smoke run of the submission's shown evaluation. Raises NotFound, which says why."""
    evaluation = published_evaluation(submission)
    query = select(
        Run.status, Run.log_digest, Run.printed, Run.started_at
    )  # at once, so that they fit together
    row = session.execute(query.where(Run.evaluation_id == evaluation.id, Run.kind == RunKind.SMOKE)).first()
    if row is None:
        raise _none("only runs on public data have one, and its competition gives none for them.")
    if row.started_at is None:
        skipped = row.status is RunStatus.SKIPPED
        raise _none("its smoke run was not run." if skipped else "its smoke run has not begun yet.")
    return Found(row.status, row.log_digest, row.printed or "")


def _none(why: str) -> NotFound:
    return NotFound(f"This submission has no log: {why}")
