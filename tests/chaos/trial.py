"""A whole trial: one fault after another, with submissions around each; then everything is stopped and looked at."""

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table
from sqlalchemy import select

from app.db import read_only
from app.models import Evaluation, Event
from tests.chaos import faults, real
from tests.chaos.audit import findings
from tests.chaos.faults import FaultCase
from tests.chaos.scene import Scene
from tests.chaos.site import LEASE_SECONDS, Site
from tests.chaos.traffic import Crowd, Sent


@dataclass(frozen=True)
class Row:
    """What came of one fault: its submissions, their verdicts, and how long the last one took from the fault on."""

    name: str
    submissions: int
    verdicts: Counter[str]
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What came of a trial; `wrong` is empty when all invariants hold."""

    rows: Sequence[Row]
    wrong: Sequence[str]
    events: Counter[str]
    deaths: int
    messages: tuple[int, int]  # doubled, dropped

    def table(self, title: str) -> Table:
        """Return the table of faults and counts."""
        table = Table(title=title, title_justify="left")
        for name in ("fault", "submissions", "verdicts", "last verdict after"):
            table.add_column(
                name, justify="right" if name in {"submissions", "last verdict after"} else "left"
            )
        for row in self.rows:
            verdicts = ", ".join(f"{count} {name}" for name, count in sorted(row.verdicts.items()))
            table.add_row(row.name, str(row.submissions), verdicts, f"{row.seconds:.1f} s")
        return table

    def summary(self) -> str:
        """Return what happened in all, in a few lines."""
        submissions = sum(row.submissions for row in self.rows)
        verdicts = sum((row.verdicts for row in self.rows), Counter[str]())
        words = ", ".join(f"{count} {name}" for name, count in sorted(verdicts.items()))
        doubled, dropped = self.messages
        return (
            f"{len(self.rows)} faults, {submissions} submissions, {verdicts.total()} evaluations: {words}\n"
            f"processes started again: {self.deaths}; runs given back: {self.events['run.queued']}; "
            f"lease {LEASE_SECONDS:g} s; messages doubled: {doubled}, dropped: {dropped}\n"
            + ("every invariant holds" if not self.wrong else "\n".join(["BROKEN:", *self.wrong]))
        )


def attempt(
    *,
    fake: bool,
    each: int,
    seed: int,
    only: Sequence[str] = ("",),
    still_open: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Build a site of fake or real sandboxes, and do every fault there whose name holds one of the words `only`."""
    with tempfile.TemporaryDirectory(prefix="lethe-chaos-") as folder:
        with Site(Path(folder), workers=3 if fake else 2, fake=fake) as site:
            cases = faults.catalogue(own_disk=site.on_own_disk) if fake else real.catalogue()
            chosen = [one for one in cases if any(words in one.name for words in only)]
            outcome = trial(site, chosen, each=each, seed=seed, still_open=still_open, tell=tell)
        return outcome if fake else replace(outcome, wrong=[*outcome.wrong, *real.left_behind()])


def trial(
    site: Site,
    cases: Sequence[FaultCase],
    *,
    each: int,
    seed: int,
    still_open: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Do every fault once, in an order drawn from the seed, with `each` submissions around it.

    `still_open` evaluations may not have ended when the next fault comes.
    """
    site.wait_for_workers()
    crowd = Crowd(site, seed)
    order = random.Random(seed).sample(list(cases), len(cases))
    scenes: list[tuple[FaultCase, Scene]] = []
    with ThreadPoolExecutor(4) as pool:
        for case in order:
            scene = Scene(site, crowd, pool, each)
            tell(case.name)
            case.strike(scene)
            scene.sent()
            scenes.append((case, scene))
            scene.wait_until_open_are(still_open, crowd.sent)
        scenes[-1][1].wait_for_end(*crowd.sent)
        rows = [_row(case, scene) for case, scene in scenes]
    site.stop_processes()
    messages = tuple(_size(site.folder / name) for name in ("doubled", "dropped"))
    return Outcome(rows, findings(site, crowd.sent), _events(site), site.deaths, (messages[0], messages[1]))


def _row(case: FaultCase, scene: Scene) -> Row:
    sent = scene.sent()
    return Row(case.name, len(sent), _verdicts(scene.site, sent), scene.seconds_to_the_end())


def _verdicts(site: Site, sent: Sequence[Sent]) -> Counter[str]:
    query = select(Evaluation.verdict).where(Evaluation.submission_id.in_([one.id for one in sent]))
    with read_only(site.engine) as session:
        return Counter(str(verdict) for verdict in session.scalars(query))


def _events(site: Site) -> Counter[str]:
    with read_only(site.engine) as session:
        return Counter(session.scalars(select(Event.kind)))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
