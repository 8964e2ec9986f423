"""Grading again what was graded before: from stored outputs, so that no participant's code runs a second time."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Engine

import grader
from app import evaluations, regrading
from app.db import read_only
from app.errors import LetheError
from app.evaluations import NewScore
from app.regrading import Waiting, WaitingReference
from app.settings import Settings
from app.storage import Storage
from worker.material import fetch
from worker.outputs import Split
from worker.recovery import with_retries
from worker.reference import retraining_row
from worker.scoring import score_runs

Item = Waiting | WaitingReference
OnProgress = Callable[[int, int], None]
FAULTS = (LetheError, OSError, EOFError, ValueError, LookupError, RuntimeError, zipfile.BadZipFile)
"""A blob that is missing or damaged or lacks an array, a model that no longer runs, or what the grader refuses."""


@dataclass(frozen=True)
class Problem:
    """What could not be graded, and why: an evaluation, or a reference's row of retraining."""

    competition: str
    split: str
    reference_digest: str
    why: str
    evaluation_id: str | None = None
    submission_id: str | None = None


@dataclass
class Regraded:
    """What one call came to: scores staged, rows of retraining by reference id, and what could not be graded."""

    staged: int = 0
    retraining: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class Regrading:
    """Stages a score under grader.VERSION for every scored evaluation that has none."""

    def __init__(
        self, engine: Engine, storage: Storage, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._storage = storage
        self._settings = settings
        self._clock = clock

    def run(self, slug: str | None = None, on_progress: OnProgress = lambda _done, _total: None) -> Regraded:
        """Grade what is missing, of one competition or of all.

        Each score is committed by itself: interrupted at any moment, a second call goes on. What cannot be graded
        is returned as a problem, and the others go on. Raises NotFound for an unknown competition.
        """
        with read_only(self._engine) as session:
            items: list[Item] = list(regrading.waiting_references(session, grader.VERSION, slug))
            items += regrading.waiting(session, grader.VERSION, slug)
        found = Regraded()
        on_progress(0, len(items))
        by_reference: dict[str, list[Item]] = {}
        for item in items:
            by_reference.setdefault(item.reference_digest, []).append(item)
        ended = chain.from_iterable(self._of_reference(*group, found) for group in by_reference.items())
        for done, _ in enumerate(ended, start=1):
            on_progress(done, len(items))
        return found

    def _of_reference(self, digest: str, items: Sequence[Item], found: Regraded) -> Iterator[None]:
        """Grade what belongs to one reference, whose split is in memory meanwhile; yield after each item."""
        split, why = self._split(digest)
        for item in items:
            try:
                if split is None:
                    raise ValueError(why)
                self._grade(item, split, found)
            except FAULTS as error:
                found.problems.append(_problem(item, str(error)))
            yield

    def _split(self, digest: str) -> tuple[Split | None, str]:
        """Return a reference's split, or why there is none."""
        cache = self._settings.data_dir / "cache"
        try:
            material = fetch(self._storage, digest, cache)
            return Split(material, self._settings.device), ""
        except FAULTS as error:
            where = cache / digest
            copied = f" (remove its copy, {where}, to have it fetched anew)" if where.exists() else ""
            return None, f"its reference cannot be read: {error}{copied}"

    def _grade(self, item: Item, split: Split, found: Regraded) -> None:
        if isinstance(item, WaitingReference):
            found.retraining[item.id] = retraining_row(split.reference, split.arrays["forget_labels"])
            return
        score = self._score(item, split)
        found.staged += with_retries(
            self._engine,
            lambda session: regrading.stage(session, item, score, self._clock()),
            self._settings.lease_seconds,
        )

    def _score(self, item: Waiting, split: Split) -> NewScore:
        with read_only(self._engine) as session:
            finished = evaluations.outputs(session, item.evaluation_id)
        score = score_runs(finished, self._storage, split)
        if score is None:
            raise ValueError("an example of the forget set cannot be scored")
        return score


def _problem(item: Item, why: str) -> Problem:
    place = (item.competition, item.split, item.reference_digest)
    if isinstance(item, WaitingReference):
        return Problem(*place, why)
    return Problem(*place, why, item.evaluation_id, item.submission_id)
